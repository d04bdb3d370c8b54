"""A waiver is proposed by one person and approved by another; it belongs to one content, rule and line."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction

from ledger.services import record
from migrations_registry.models import MigrationFile, Waiver
from operations.authority import holds_somewhere, why_not
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.periodic.clock import database_time
from providers.errors import Refused


def propose(file: MigrationFile, rule: str, line: int, *, reason: str, by: User) -> Waiver:
    """Ask for a finding to be accepted. Raises PermissionDenied and Refused."""
    if not holds_somewhere(by, "migrations_registry.waive_finding"):
        raise PermissionDenied(f"{by.username} may not propose waivers. Nothing was changed.")
    if not reason.strip():
        raise Refused("A waiver needs a reason that the next reader understands. Nothing was changed.")
    if not file.findings.filter(rule=rule, line=line).exists():
        raise Refused(f"{file.name} has no finding {rule} at line {line}. Nothing was changed.")
    with transaction.atomic():
        waiver, made = Waiver.objects.get_or_create(
            file=file, rule=rule, line=line, defaults={"reason": reason.strip(), "requested_by": by.username}
        )
        if not made:
            raise Refused(f"{waiver} was proposed already by {waiver.requested_by}. Nothing was changed.")
        _record("proposed", waiver, by, reason.strip())
    return waiver


def approve(waiver: Waiver, *, by: User) -> None:
    """Agree as a second person. Raises PermissionDenied and Refused; the database refuses too."""
    if refusal := why_not(by, "migrations_registry.approve_waiver", None, f"{by.username} may not approve waivers."):
        raise PermissionDenied(f"{refusal} Nothing was changed.")
    if by.username == waiver.requested_by:
        raise Refused(f"{by.username} proposed this waiver: somebody else must approve it. Nothing was changed.")
    with transaction.atomic():
        about = f"{waiver.rule}, line {waiver.line} of {waiver.file.name}"
        agreed = digest_of(waiver.pk, waiver.file.sha256, waiver.reason)
        spend(by.username, Binding("migrations.agree_waiver", about, agreed))
        changed = Waiver.objects.filter(pk=waiver.pk, approved_by="").update(
            approved_by=by.username, approved_at=database_time()
        )
        if not changed:
            raise Refused("This waiver is approved already. Nothing was changed.")
        _record("approved", waiver, by, waiver.reason)


def _record(what: str, waiver: Waiver, by: User, reason: str) -> None:
    data = {"rule": waiver.rule, "line": waiver.line, "sha256": waiver.file.sha256, "reason": reason}
    record(f"migrations_registry.waiver.{what}", actor=by.username, subject=waiver.file.name, data=data)
