"""Legal holds: a held run is never removed, whatever retention says, until a person releases it with a reason.

In: a run, who, why. Out: a Hold row and a ledger entry in the same transaction. Placing twice places once.
"""

from __future__ import annotations

from django.db import transaction

from backups.models import Hold, Incident, Run
from ledger.services import record
from operations.periodic.clock import database_time
from providers.errors import Refused


@transaction.atomic
def place(run: Run, by: str, reason: str, incident: Incident | None = None) -> Hold:
    """Hold a run; an incident holds a run once. Raises Refused without a reason, and for a run whose data is gone."""
    if not reason.strip():
        raise Refused("Say why this run must be kept. Nothing was changed.")
    locked = Run.objects.select_for_update().select_related("policy__environment").get(pk=run.pk)
    if locked.purging_at is not None:
        raise Refused(f"Retention has removed the data of {run} already. Nothing was changed; hold another.")
    standing = Hold.objects.filter(run=locked, incident=incident, released_at=None).first()
    if standing is not None:
        return standing
    hold = Hold.objects.create(run=locked, incident=incident, placed_by=by, reason=reason.strip()[:500])
    _tell("placed", hold, by, hold.reason)
    return hold


@transaction.atomic
def release(hold: Hold, by: str, reason: str) -> Hold:
    """End a hold. Raises Refused without a reason, for one that ended, and while its incident is open."""
    if not reason.strip():
        raise Refused("Say why this run need not be kept any more. Nothing was changed.")
    row = (
        Hold.objects.select_for_update(of=("self",))
        .select_related("incident", "run__policy__environment")
        .get(pk=hold.pk)
    )
    if row.released_at is not None:
        raise Refused(f"This hold was released by {row.released_by} already. Nothing was changed.")
    if row.incident is not None and row.incident.status == Incident.Status.OPEN:
        raise Refused(f"The incident {row.incident.pk} of this hold is open. Nothing was changed; resolve it first.")
    row.released_at, row.released_by, row.release_reason = database_time(), by, reason.strip()[:500]
    row.save(update_fields=["released_at", "released_by", "release_reason"])
    _tell("released", row, by, row.release_reason)
    return row


def _tell(what: str, hold: Hold, by: str, reason: str) -> None:
    run = hold.run
    record(
        f"backups.hold.{what}",
        actor=by,
        environment=run.policy.environment.slug,
        subject=run.pk,
        data={"hold": hold.pk, "incident": hold.incident_id, "reason": reason, "run_name": str(run)},
        seeded=bool(hold.incident and hold.incident.seeded),
    )
