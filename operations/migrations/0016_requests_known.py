"""Before this, the entry of a request did not hold its digest: what waits, and was asked for by the ledger, is written
down once, as it stands; from here on only entries that the portal wrote say what was asked (operations/votes/asked.py).
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from ledger.backfill import append

WAITING = ("awaiting_approval", "queued", "running")


def write_down(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    waiting = apps.get_model("operations", "Operation")._default_manager.filter(status__in=WAITING)
    entries = apps.get_model("ledger", "Entry")._default_manager.filter(code="operations.requested")
    requests = {
        pk: [name, digest]
        for pk, name, digest in waiting.values_list("pk", "requested_by__username", "content_sha256")
        if entries.filter(subject=pk, actor=name).exists()
    }
    if requests:
        append(apps, "operations.requests_known", {"requests": requests})


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0015_environment_mac"),
        ("ledger", "0004_entry_mac"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [migrations.RunPython(write_down, migrations.RunPython.noop)]
