"""The portal's own account is known by a mark; the database keeps people from its name and from signing in as it."""

from pathlib import Path

import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

FORWARD = (Path(__file__).parent / "sql_machine_names.sql").read_text()


def mark(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The account that schedules made for themselves: it has no password and nobody ever signed in as it."""
    users = apps.get_model("auth", "User")._default_manager.filter(username="system", last_login=None, is_staff=False)
    for user in [user for user in users if user.password.startswith("!")]:
        apps.get_model("operations", "MachineAccount")._default_manager.create(user=user)


class Migration(migrations.Migration):
    dependencies = [("operations", "0017_sent_form"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            "MachineAccount",
            [
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="machineaccount",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                )
            ],
        ),
        migrations.RunPython(mark, migrations.RunPython.noop),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
