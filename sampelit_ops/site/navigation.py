"""The portal's sidebar: which pages stand where, and the numbers beside them.

In: the URL names of the apps' lists (a page that does not exist is left out). Out: links in `operations.navigation`.
"""

from __future__ import annotations

from django.http import HttpRequest

from operations import navigation
from operations.navigation import Count, NavLink
from sampelit_ops.site import page_counts


def waiting(request: HttpRequest) -> Count | None:
    """Operations that wait for somebody's vote."""
    return Count(page_counts.of(request).waiting, "warn", "wait for approval")


def open_tasks(request: HttpRequest) -> Count | None:
    """Human tasks that nobody has closed."""
    return Count(page_counts.of(request).open_tasks, "warn", "open")


LINKS = (
    NavLink("", 0, "Overview", "admin:index"),
    NavLink("Operate", 10, "Deployments", "admin:deployments_deployment_changelist", "deployments.view_deployment"),
    NavLink(
        "Operate",
        20,
        "Migrations",
        "admin:migrations_registry_migrationfile_changelist",
        "migrations_registry.view_migrationfile",
    ),
    NavLink("Operate", 30, "Backups", "admin:backups_run_changelist", "backups.view_run"),
    NavLink("Operate", 35, "Recover", "admin:recover", "backups.view_run"),
    NavLink("Watch", 40, "Operations", "admin:operations_operation_changelist", "operations.view_operation"),
    NavLink("Watch", 50, "Approvals", "admin:approvals", "operations.view_operation", waiting),
    NavLink("Watch", 60, "Tasks", "admin:operations_task_changelist", "operations.view_task", open_tasks),
    NavLink("Watch", 70, "Timeline", "admin:ledger_entry_changelist", "ledger.view_entry"),
    NavLink("Admin", 80, "Environments", "admin:operations_environment_changelist", "operations.view_environment"),
    NavLink("Admin", 90, "Doctor", "admin:doctor", "operations.view_heartbeat"),
    NavLink("Admin", 100, "People", "admin:auth_user_changelist", "auth.view_user"),
    NavLink("Admin", 102, "Tokens", "admin:operations_accesstoken_changelist", "auth.change_user"),
    NavLink("Admin", 110, "All records", "admin:records"),
)


def register() -> None:
    """Fill the sidebar; called once when the apps are ready."""
    for link in LINKS:
        navigation.register(link)
