"""The triggers also hold the table of transitions, the break-glass path, `seeded` and the exclusive key."""

from pathlib import Path

from django.db import migrations

FORWARD = (Path(__file__).parent / "sql_guards_2.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("operations", "0003_notifications")]
    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
