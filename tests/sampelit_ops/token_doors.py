"""Every verb of the shell that acts by a personal token, and the permission that it asks a token for.

In: a command line. Out: literal tables that `test_token_doors.py` walks; a test holds that no door is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

HERE, EVERYWHERE = "staging", ""


@dataclass(frozen=True)
class Door:
    """`command` acts on staging (or everywhere) and needs `scope`; $ID is an operation that waits there."""

    command: tuple[str, ...]
    scope: str
    place: str = HERE


DOORS = (
    Door(("ops", "list"), "read"),
    Door(("ops", "show", "$ID"), "read"),
    Door(("find", "api"), "read"),
    Door(("ops", "token", "list"), "read"),
    Door(("ops", "token", "list", "--all"), "admin", EVERYWHERE),
    Door(("ops", "token", "revoke", "9", "--all"), "admin", EVERYWHERE),
    Door(("ops", "request", "rehearsal.routine", "--environment", "staging", "--set", "key=a"), "request"),
    Door(("ops", "request", "environments.change", "--environment", "staging"), "admin"),
    Door(("ops", "request", "environments.add", "--environment", "portal"), "admin", "portal"),
    Door(("ops", "request", "migrations.change_rules", "--environment", "staging"), "admin", EVERYWHERE),
    Door(("ops", "request", "backups.release_hold", "--environment", "staging"), "vote"),
    Door(("ops", "cancel", "$ID"), "request"),
    Door(("ops", "retry", "$ID"), "request"),
    Door(("ops", "approve", "$ID"), "vote"),
    Door(("ops", "reject", "$ID"), "vote"),
    Door(("ops", "revoke", "$ID"), "vote"),
    Door(("ops", "break-glass", "$ID", "--reason", "checkout is down"), "vote"),
    Door(("confirm_approver", "olga"), "admin", EVERYWHERE),
    Door(("roles", "olga", "--give", "Viewer"), "admin", EVERYWHERE),
    Door(("outsiders", "--attest"), "admin", EVERYWHERE),
    Door(("slots", "acknowledge"), "request", EVERYWHERE),
    Door(("slots", "acknowledge", "--environment", "staging"), "request"),
    Door(("decision_history", "e", "1", "--environment", "staging", "--timeout", "0"), "request"),
    Door(("evidence", "--environment", "staging", "--from", "2026-03-01", "--to", "2026-04-01"), "request"),
    Door(("retention", "audit-trail", "--environment", "staging", "--apply-request"), "request"),
    Door(("drift", "--environment", "staging", "--accept", "--reason", "meant"), "request"),
    Door(("adopt_supabase_cli", "$DIRECTORY", "--environment", "staging"), "request"),
    Door(("advisor_findings", "--ignore", "$FINDING", "--reason", "known"), "request"),
    Door(("keep_function", "$DIRECTORY", "--function", "hello"), "request", EVERYWHERE),
    Door(("recover_migration", "$ID", "--lost", "table=public.users"), "request"),
)
