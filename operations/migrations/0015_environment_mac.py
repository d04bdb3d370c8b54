"""What each environment asks for, as it stands, is signed; from here on a row that SQL changed counts for nothing."""

from pathlib import Path

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from operations.models import environment_columns

FORWARD = (Path(__file__).parent / "sql_environment_revision.sql").read_text()


def sign(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rows = apps.get_model("operations", "Environment")._default_manager
    for values in rows.values():
        rows.filter(pk=values["id"]).update(mac=environment_columns.shared_mac_of(values))


class Migration(migrations.Migration):
    dependencies = [("operations", "0014_passkey_challenge")]

    operations = [
        migrations.AddField(
            "environment", "revision", environment_columns.RevisionField(db_default=0, default=0, editable=False)
        ),
        migrations.AddField(
            "environment",
            "mac",
            environment_columns.MacField(blank=True, db_default="", default="", editable=False, max_length=64),
        ),
        migrations.RunPython(sign, migrations.RunPython.noop),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
