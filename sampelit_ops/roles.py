"""The five roles as code: which permissions each group has. `sync_roles()` makes the groups say the same.

In: permissions as `app.codename` (`app.view_*` stands for every view permission of that app). Out: groups. Nobody is a
superuser by role; Approvers only vote; Admins look after people and policies and do not operate.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.db import transaction

QUEUE = ("django_q.view_*",)  # read-only pages of the transport
VIEW = (
    "ledger.view_*",
    "operations.view_*",
    "deployments.view_*",
    "migrations_registry.view_*",
    "backups.view_*",
)
AUDIT = (
    "ledger.verify_ledger",
    "ledger.export_entries",
    "backups.verify_run",
    "backups.produce_evidencereport",
)


@dataclass(frozen=True)
class Role:
    name: str
    purpose: str
    acts: bool
    permissions: tuple[str, ...]


ROLES = (
    Role("Viewer", "sees everything, changes nothing", False, VIEW),
    Role("Auditor", "sees everything, asks for re-verification, exports the timeline", False, VIEW + AUDIT),
    Role(
        "Operator",
        "deploys, rolls back, backs up, restores into scratch, requests migrations, breaks glass",
        True,
        (
            *VIEW,
            *AUDIT,
            *QUEUE,
            "operations.request_operation",
            "backups.request_export",
            "backups.request_restore",
            "backups.download_run",
            "backups.apply_retention",
            "backups.resolve_incident",
            "backups.place_hold",
            "operations.cancel_operation",
            "operations.break_glass",
            "operations.close_task",
            "operations.run_rehearsal",
            "deployments.deploy",
            "deployments.rollback",
            "deployments.maintain",
            "deployments.configure",
            "deployments.ignore_finding",
            "migrations_registry.apply_migrationfile",
            "migrations_registry.register_migrationfile",
            "migrations_registry.rehearse_migrationfile",
            "migrations_registry.undo_application",
            "migrations_registry.waive_finding",
            "migrations_registry.resolve_driftincident",
            "migrations_registry.baseline_stream",
            "migrations_registry.look_historyreading",
            "migrations_registry.mark_historyreading",
        ),
    ),
    Role(
        "Approver",
        "approves or refuses what somebody else requested",
        True,
        (
            *VIEW,
            "ledger.verify_ledger",
            "ledger.export_entries",
            "operations.approve_operation",
            "migrations_registry.approve_waiver",
            "migrations_registry.approve_rehearsal",
            "migrations_registry.resolve_driftincident",
            "backups.resolve_incident",
            "backups.place_hold",
            "backups.release_hold",
            "migrations_registry.look_historyreading",
            "operations.close_task",
        ),
    ),
    Role(
        "Admin",
        "looks after users, environments and policies; break-glass",
        True,
        (
            *VIEW,
            *AUDIT,
            *QUEUE,
            "auth.view_user",
            "auth.add_user",
            "auth.change_user",
            "auth.view_group",
            "operations.add_environment",
            "operations.change_environment",
            "deployments.change_service",
            "backups.add_policy",
            "backups.change_policy",
            "backups.resolve_incident",
            "backups.place_hold",
            "backups.release_hold",
            "migrations_registry.change_rules",
            "operations.cancel_operation",
            "operations.break_glass",
            "operations.close_task",
        ),
    ),
)
ACTING = frozenset(role.name for role in ROLES if role.acts)


def role(name: str) -> Role:
    """The role of this name. Raises KeyError for a group that is no role."""
    return {role.name: role for role in ROLES}[name]


@transaction.atomic
def sync_roles() -> list[str]:
    """Make each role's group hold exactly its permissions; returns the names that no app defines."""
    known = {f"{app}.{codename}": pk for pk, app, codename in _permissions()}
    unknown: set[str] = set()
    for role in ROLES:
        group, _ = Group.objects.get_or_create(name=role.name)
        group.permissions.set({pk for name in role.permissions for pk in _expand(name, known, unknown)})
    return sorted(unknown)


def _permissions() -> list[tuple[int, str, str]]:
    return list(Permission.objects.values_list("pk", "content_type__app_label", "codename"))


def _expand(name: str, known: dict[str, int], unknown: set[str]) -> list[int]:
    if name.endswith("*"):
        return [pk for codename, pk in known.items() if codename.startswith(name[:-1])]
    if name not in known:
        unknown.add(name)
        return []
    return [known[name]]
