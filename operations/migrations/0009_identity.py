"""Which database an environment is, one environment to a variable, and what a request was bound to."""

from collections.abc import Iterable
from pathlib import Path

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.functions import Replace, Upper

FORWARD = (Path(__file__).parent / "sql_identity.sql").read_text()
COLUMNS = ("export_dsn_env", "migration_dsn_env", "restore_dsn_env")
TODO = "Nothing was changed. Give all but one another slug or other variables on their pages, then migrate again."


def refuse_doubles(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Which of two is right only a person knows; nothing is changed here."""
    owners: dict[str, str] = {"DATABASE_URL": "the portal itself"}
    for row in apps.get_model("operations", "Environment")._default_manager.order_by("created_at").values():
        for name in set(_variables(row)) - ({"DATABASE_URL"} if row["kind"] == "portal" else set()):
            if name in owners:
                raise RuntimeError(f"{name} is a variable of {owners[name]} and of environment {row['slug']}. {TODO}")
            owners[name] = f"environment {row['slug']}"


def _variables(row: dict[str, str]) -> Iterable[str]:
    slug = row["slug"].upper().replace("-", "_")
    for column in COLUMNS:
        yield row[column].upper() or f"SAMPELIT_{slug}_{column.partition('_')[0].upper()}_DSN"


class Migration(migrations.Migration):
    dependencies = [("operations", "0008_role_grants")]

    operations = [
        migrations.RunPython(refuse_doubles, migrations.RunPython.noop),
        migrations.AddField("environment", "addresses", models.JSONField(blank=True, default=dict, editable=False)),
        migrations.AddField(
            "environment", "database_name", models.CharField(blank=True, default="", editable=False, max_length=63)
        ),
        migrations.AddField(
            "environment", "database_oid", models.BigIntegerField(blank=True, editable=False, null=True)
        ),
        migrations.AddField(
            "environment", "system_identifier", models.CharField(blank=True, default="", editable=False, max_length=20)
        ),
        migrations.AddField(
            "operation",
            "bound",
            models.JSONField(
                editable=False,
                help_text="Which database was meant when it was asked; empty before that was kept.",
                null=True,
            ),
        ),
        migrations.AddConstraint(
            "environment",
            models.UniqueConstraint(
                Upper(Replace("slug", models.Value("-"), models.Value("_"))),
                name="environment_slug_once",
                violation_error_message="Another environment's slug names the same variables; choose another one.",
            ),
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
