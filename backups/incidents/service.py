"""Incidents of the audit data: opened by what a comparison found, told at once and daily, resolved by a person.

In: a code, an environment, what was found. Out: one open row per (code, environment, subject), ledger entries,
messages. What a person resolved is accepted: the same finding (its fingerprint) is not told again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from backups.models import Incident, Run
from backups.models.incident import MOST_ROWS, IncidentCode
from ledger.services import record
from operations.accounts import SYSTEM
from operations.models import Environment
from operations.navigation import page_of
from operations.notify import enqueue
from operations.periodic.clock import database_time
from operations.periodic.isolation import one_by_one
from providers.errors import Refused

REMIND_EVERY = timedelta(days=1)


@transaction.atomic
def raise_incident(
    code: str,
    environment: Environment,
    *,
    run: Run | None = None,
    baseline: Run | None = None,
    subject: str,
    summary: str,
    evidence: Mapping[str, Any] | Sequence[Mapping[str, Any]] = (),
    total: int | None = None,
    fingerprint: str = "",
    since: datetime | None = None,
) -> Incident:
    """Open an incident, or add this run to the open one; told again only when it grew. `evidence` keeps 200 rows.

    Call it last in its transaction (it writes the ledger). A finding that a person accepted (after `since`) answers
    that resolved incident.
    """
    if code not in IncidentCode.values:
        raise ValueError(f"{code} is no incident code")
    lock(environment)
    finding = _fields(summary, evidence, total, fingerprint)
    about = {"code": code, "environment": environment, "subject": subject[:200]}
    incident = _known(about, finding["fingerprint"], since)
    if incident is None:
        origin = {"run": run, "policy": run.policy if run else None, "seeded": bool(run and run.operation.seeded)}
        incident = Incident.objects.create(**about, **finding, **origin, baseline_run=baseline)
        _open(incident)
    elif incident.status == Incident.Status.OPEN and incident.fingerprint != finding["fingerprint"]:
        _grow(incident, finding)
    if run is not None:
        incident.seen_in.add(run)
    return incident


def _fields(
    summary: str,
    evidence: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    total: int | None,
    fingerprint: str,
) -> dict[str, Any]:
    """What of the finding an incident's row holds: the first 200 rows, and how many there were."""
    given = dict(evidence) if isinstance(evidence, Mapping) else {"rows": list(evidence)}
    rows = list(given.get("rows", ()))
    document = {**given, "rows": rows[:MOST_ROWS]}
    return {
        "summary": summary[:500],
        "evidence": document,
        "total": len(document["rows"]) if total is None else total,
        "fingerprint": fingerprint or _fingerprint(document),
    }


def _known(about: dict[str, Any], fingerprint: str, since: datetime | None) -> Incident | None:
    """The open incident about it, else the one in which a person accepted just this."""
    incidents = Incident.objects.filter(**about)
    resolved = incidents.filter(status=Incident.Status.RESOLVED, fingerprint=fingerprint)
    accepted = resolved.filter(resolved_at__gt=since) if since else resolved
    return incidents.open().first() or accepted.first()


def lock(environment: Environment) -> None:
    """Two findings at once become one incident."""
    Environment.objects.select_for_update().get(pk=environment.pk)


def _grow(incident: Incident, values: dict[str, Any]) -> None:
    Incident.objects.filter(pk=incident.pk).update(**values)
    incident.refresh_from_db()
    _open(incident)


def _fingerprint(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()


def _open(incident: Incident) -> None:
    incident.told_at = database_time()
    incident.save(update_fields=["told_at"])
    if not incident.seeded:
        _message(incident, f"incident:{incident.pk}:{incident.fingerprint[:16]}", "")
    _tell("opened", incident, SYSTEM, total=incident.total, summary=incident.summary)


def _message(incident: Incident, key: str, prefix: str) -> None:
    body = f"{incident.summary}\nOpen it, look at the rows before and after, and resolve it with a reason."
    enqueue(
        key,
        subject=f"{prefix}ALTERED: {incident} of {incident.environment}",
        body=body,
        path=page_of(incident),
        about=incident.environment,
    )


@transaction.atomic
def resolve(incident: Incident, by: str, reason: str, fingerprint: str = "", *, agreed: Sequence[str] = ()) -> Incident:
    """A person explains it; exactly this finding is accepted from now on. Holds stay until they are released.

    `agreed` are the people whose votes it had; the ledger names them.

    Raises Refused without a reason, for one that is resolved, and when it grew since `fingerprint` was looked at.
    """
    if not reason.strip():
        raise Refused("Say what happened and why this incident may be closed. Nothing was changed.")
    row = Incident.objects.select_for_update().select_related(None).get(pk=incident.pk)
    if row.status != Incident.Status.OPEN:
        raise Refused(f"This incident was resolved by {row.resolved_by} already. Nothing was changed.")
    if fingerprint and fingerprint != row.fingerprint:
        raise Refused("More was found since you looked. Nothing was changed; look at the incident once more.")
    row.status, row.resolved_by, row.reason = Incident.Status.RESOLVED, by, reason.strip()
    row.resolved_at = database_time()
    row.save(update_fields=["status", "resolved_by", "reason", "resolved_at"])
    _tell("resolved", row, by, reason=row.reason, agreed=list(agreed))
    return row


def _tell(what: str, incident: Incident, actor: str, **data: object) -> None:
    record(
        f"backups.incident.{what}",
        actor=actor,
        environment=incident.environment.slug,
        subject=str(incident.pk),
        data={"code": incident.code, "about": incident.subject, "run": incident.run_id, **data},
        seeded=incident.seeded,
    )


def remind() -> int:
    """Tell about open incidents daily, until a person resolves them; answers how many were told again."""
    now = database_time()
    due = Incident.objects.open().filter(seeded=False, told_at__lte=now - REMIND_EVERY).select_related("environment")

    @transaction.atomic
    def again(incident: Incident) -> bool:
        if not Incident.objects.filter(pk=incident.pk, told_at=incident.told_at).update(told_at=now):
            return False
        _message(incident, f"incident:{incident.pk}:{now:%Y-%m-%d}", "Still open: ")
        return True

    return sum(one_by_one(due[:100], again))
