"""The portal's menu: which pages stand where, and the numbers beside them.

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


def red_findings(request: HttpRequest) -> Count | None:
    """What the doctor found red at its last round."""
    checks = page_counts.of(request).doctor_checks or []
    return Count(sum(check["tone"] == "bad" for check in checks), "bad", "red findings")


_FILES = "admin:migrations_registry_migrationfile_changelist"
_FILES_MAY = "migrations_registry.view_migrationfile"
LINKS = (
    NavLink("Overview", 0, "Overview", "admin:index"),
    NavLink("Deployments", 10, "Deployments", "admin:deployments_deployment_changelist", "deployments.view_deployment"),
    NavLink("Migrations", 20, "Migrations", _FILES, _FILES_MAY),
    NavLink("Migrations", 22, "By environment", "admin:migrations_status", _FILES_MAY),
    NavLink("Backups", 30, "Backups", "admin:backups_run_changelist", "backups.view_run"),
    NavLink("Backups", 35, "Recover", "admin:recover", "backups.view_run"),
    NavLink("Approvals", 50, "Approvals", "admin:approvals", "operations.view_operation", waiting),
    NavLink("Approvals", 60, "Tasks", "admin:operations_task_changelist", "operations.view_task", open_tasks),
    NavLink("Activity", 70, "Timeline", "admin:ledger_entry_changelist", "ledger.view_entry"),
    NavLink("Activity", 72, "Operations", "admin:operations_operation_changelist", "operations.view_operation"),
    NavLink("Health", 80, "Doctor", "admin:doctor", "operations.view_heartbeat", red_findings),
    NavLink("Settings", 90, "Environments", "admin:operations_environment_changelist", "operations.view_environment"),
    NavLink("Settings", 100, "People", "admin:auth_user_changelist", "auth.view_user"),
    NavLink("Settings", 102, "Tokens", "admin:operations_accesstoken_changelist", "auth.change_user"),
    NavLink("Settings", 110, "All records", "admin:records"),
)


def register() -> None:
    """Fill the menu; called once when the apps are ready."""
    for link in LINKS:
        navigation.register(link)
