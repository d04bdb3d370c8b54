"""Before this, entries of the ledger carried no code of the portal: who may vote, and who voted on what waits, is
written down once, as it stands; from here on only entries that the portal wrote say so (operations/votes/).
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q

from ledger.backfill import append

CODE = "operations.voters_known"


def write_down(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    people, votes = _people(apps), _votes(apps)
    if people:
        append(apps, CODE, {"people": people, "votes": votes})


def _people(apps: Apps) -> dict[str, list[str]]:
    """Every active person's roles by what they may: whoever votes is an approver, whoever changes people an admin."""
    roles: dict[str, list[str]] = {}
    for role, codename in (("Admin", "change_user"), ("Approver", "approve_operation")):
        wanted = apps.get_model("auth", "Permission")._default_manager.filter(codename=codename)
        held = Q(groups__permissions__in=wanted) | Q(user_permissions__in=wanted)
        holders = apps.get_model("auth", "User")._default_manager.filter(held, is_active=True).distinct()
        for name in holders.values_list("username", flat=True):
            roles.setdefault(name, []).append(role)
    return roles


def _votes(apps: Apps) -> dict[str, list[str]]:
    """By waiting operation whose votes the ledger holds."""
    votes: dict[str, list[str]] = {}
    waiting = apps.get_model("operations", "Approval")._default_manager.filter(
        operation__status__in=["awaiting_approval", "queued"], decision="approve", revoked_at=None
    )
    entries = apps.get_model("ledger", "Entry")._default_manager.filter(code="operations.approved")
    for pk, name in waiting.values_list("operation_id", "approved_by__username"):
        if entries.filter(subject=pk, actor=name).exists():
            votes.setdefault(pk, []).append(name)
    return votes


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0009_identity"),
        ("ledger", "0004_entry_mac"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [migrations.RunPython(write_down, migrations.RunPython.noop)]
