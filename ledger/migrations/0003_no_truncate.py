from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_triggers")]
    operations = [
        migrations.RunSQL((SQL / "no_truncate.sql").read_text(), (SQL / "drop_no_truncate.sql").read_text()),
        migrations.AlterField(
            model_name="entry",
            name="channel",
            field=models.CharField(blank=True, help_text="admin, worker or shell", max_length=20),
        ),
    ]
