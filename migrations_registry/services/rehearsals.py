"""What the newest rehearsal of a content says to those who decide about it, and how a failed one is waived.

In: a file, an environment. Out: a Rehearsal; why nobody may vote. A second person waives, never who asked for anything.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Subquery

from ledger.services import record
from migrations_registry.effects import Allowance, DeclaredEffects
from migrations_registry.effects.row_counts import most_rows
from migrations_registry.models import MigrationFile, Rehearsal, SchemaFingerprint
from operations.authority import why_not
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.models import Environment, Operation
from operations.periodic.clock import database_time
from providers.errors import Refused

WAIVE = "migrations_registry.approve_rehearsal"


def newest_rehearsal(file: MigrationFile, environment: Environment) -> Rehearsal | None:
    """Of exactly these bytes."""
    rows = Rehearsal.objects.filter(file=file, environment=environment).select_related("run__policy__environment")
    trusted = SchemaFingerprint.objects.trusted().filter(environment=environment).values("sha256")[:1]
    row = rows.annotate(trusted_sha256=Subquery(trusted)).order_by("-ended_at", "-pk").first()
    if row is not None:
        row.file, row.environment, row.schema_now = file, environment, row.trusted_sha256
    return row


def why_not_approve(row: Rehearsal, requested_by: str) -> str:
    """A rehearsal that failed speaks against every vote, unless somebody who did not ask for it waived that."""
    if row.status != Rehearsal.Status.FAILED or row.waived_by not in ("", requested_by):
        return ""
    who = "whoever requested it waived that" if row.waived_by else "nobody waived that"
    return f"Its rehearsal failed at {row.ended_at:%Y-%m-%d %H:%M} UTC and {who}: {row.error}"


def measured_in_rehearsal(operation: Operation, file: MigrationFile, step: dict[str, Any]) -> DeclaredEffects:
    """What one step did on a copy without its text saying so: declared too, if people saw it before they voted."""
    row = newest_rehearsal(file, operation.environment)
    if row is None or row.status != Rehearsal.Status.PASSED or row.ended_at > _decided_at(operation):
        return DeclaredEffects()
    found = row.report["undeclared"].get(",".join(map(str, step["statements"])), ())
    return DeclaredEffects(tuple(_allowance(effect) for effect in found))


def _decided_at(operation: Operation) -> datetime:
    """When the first vote that still stands was given; where none is needed, when it was asked for."""
    votes = operation.approvals.filter(decision="approve", revoked_at=None).order_by("approved_at")
    return votes.values_list("approved_at", flat=True).first() or operation.requested_at


def _allowance(effect: dict[str, Any]) -> Allowance:
    return Allowance(
        frozenset({effect["verb"]}),
        tuple(effect["name"]),
        frozenset({effect["kind"]}),
        frozenset(effect["aspects"]),
        because="measured in its rehearsal",
        most=most_rows(max(effect["rows"], effect["forecast_rows"] or 0)),
    )


def waive(row: Rehearsal, *, reason: str, by: User) -> None:
    """Raises PermissionDenied and Refused; the database refuses who had it rehearsed."""
    if refusal := why_not(by, WAIVE, row.environment, f"{by.username} may not waive a rehearsal."):
        raise PermissionDenied(f"{refusal} Nothing was changed.")
    if not reason.strip():
        raise Refused("Say why it may be applied although it failed on a copy. Nothing was changed.")
    if by.username == row.requested_by:
        raise Refused(f"{by.username} had it rehearsed: somebody else must waive that it failed. Nothing was changed.")
    with transaction.atomic():
        agreed = digest_of(row.pk, row.file.sha256, row.error, reason.strip())
        spend(by.username, Binding("migrations.waive_rehearsal", f"{row.file.name} on {row.environment.slug}", agreed))
        failed = Rehearsal.objects.filter(pk=row.pk, status=Rehearsal.Status.FAILED, waived_by="")
        if not failed.update(waived_by=by.username, waived_at=database_time(), waiver=reason.strip()):
            raise Refused("This rehearsal did not fail, or was waived already. Nothing was changed.")
        record(
            "migrations_registry.rehearsal.waived",
            actor=by.username,
            environment=row.environment.slug,
            subject=row.file.name,
            data={"reason": reason.strip(), "sha256": row.file.sha256, "operation": row.operation},
        )
