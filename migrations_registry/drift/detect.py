"""Drift: a schema is compared with the last trusted look at it; what no operation made becomes an incident.

In: an environment whose DSN this process has. Out: fingerprints, at most one open incident each, ledger entries.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from ledger.services import record
from migrations_registry.drift import restore_exemption
from migrations_registry.drift.who_was_about import LISTED, who_was_about
from migrations_registry.fingerprint import Change, Fingerprint, compare
from migrations_registry.fingerprint.model import of_rows
from migrations_registry.models import DriftIncident, MigrationFile, SchemaFingerprint
from operations import notify
from operations.accounts import SYSTEM
from operations.dsns import reading_dsn
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.models import Environment, Operation, Status
from operations.navigation import page_of
from operations.periodic.clock import database_time
from operations.periodic.isolation import one_by_one
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.postgres.schema.objects import read_objects

logger = logging.getLogger(__name__)
EVERY_SECONDS = 3600.0
KEPT = 500


def read(environment: Environment) -> Fingerprint:
    """The schema as it is now. Raises Refused (no DSN) and ProviderError."""
    with postgres.connect(reading_dsn(environment)) as connection:
        return of_rows((row.kind, row.name, row.of, row.sql) for row in read_objects(connection))


def trusted(environment: Environment) -> SchemaFingerprint | None:
    """What the schema should be."""
    return SchemaFingerprint.objects.trusted().filter(environment=environment).first()


def keep(environment: Environment, seen: Fingerprint, *, because: str = "", operation: str = "") -> SchemaFingerprint:
    """Store what was seen; the same schema again only moves `seen_at`. `because` makes it the trusted one."""
    now = database_time()
    row = SchemaFingerprint.objects.filter(environment=environment).order_by("-taken_at", "-pk").first()
    if row is None or row.sha256 != seen.sha256:
        row = SchemaFingerprint(
            environment=environment, sha256=seen.sha256, objects_json=seen.as_json(), taken_at=now, operation=operation
        )
    row.seen_at = now
    if because:
        row.trusted_because, row.trusted_at, row.operation = because[:300], now, operation or row.operation
    row.save()
    return row


def look(environment: Environment) -> DriftIncident | None:
    """One look; the open incident, if there is one afterwards. Skips while an operation changes the schema."""
    began = database_time()
    if _being_changed(environment, began):
        return None
    seen = read(environment)
    with transaction.atomic():
        Environment.objects.select_for_update().get(pk=environment.pk)
        if _being_changed(environment, began):
            return None
        expected = trusted(environment)
        if expected is None:
            first = keep(environment, seen, because="the first look")
            _tell("first_seen", environment, SYSTEM, {"objects": len(seen.objects), "sha256": first.sha256})
            return None
        return _settle(environment, expected, seen)


def _being_changed(environment: Environment, since: datetime) -> bool:
    """Whether an operation that may change the schema runs, or ended while it was read."""
    about = Operation.objects.filter(environment=environment, exclusive_key=f"schema:{environment.slug}")
    return about.filter(status=Status.RUNNING).exists() or about.filter(ended_at__gte=since).exists()


def _settle(environment: Environment, expected: SchemaFingerprint, seen: Fingerprint) -> DriftIncident | None:
    since = SchemaFingerprint.objects.filter(environment=environment).order_by("-seen_at").first() or expected
    last_seen = since.seen_at
    incident = DriftIncident.objects.select_for_update().filter(environment=environment, status="open").first()
    why = restore_exemption.because(environment, expected, seen)
    changes = [] if why else compare(expected.fingerprint(), seen)
    if changes:
        changes, why = restore_exemption.without_copies(environment, expected, changes)
    if not changes and expected.fingerprint().generation < seen.generation:
        why = why or "the same schema, read in more detail by this release"
    row = keep(environment, seen, because="" if changes else why)
    if not changes:
        if incident:
            _close(incident, DriftIncident.Status.GONE, SYSTEM, "The schema is again what it should be.")
        return None
    changed = [change.as_json() for change in changes]
    if incident and incident.found_id == row.pk:
        return incident
    if incident:
        incident.found, incident.changes = row, changed
        incident.save()
    else:
        known = who_was_about(environment, last_seen)
        incident = DriftIncident.objects.create(
            environment=environment, expected=expected, found=row, changes=changed, around=known
        )
        _alert(incident, changes)
    names = [str(change) for change in changes]
    _tell("found", environment, SYSTEM, {"incident": incident.pk, "count": len(names), "changes": names[:LISTED]})
    return incident


def _alert(incident: DriftIncident, changes: Sequence[Change]) -> None:
    """Tell people once an incident; it grows in its page."""
    listed = "; ".join(str(change) for change in changes[:5])
    notify.enqueue(
        f"drift:{incident.pk}",
        subject=f"The schema of {incident.environment} changed without an operation",
        body=f"{listed}. Look at it, then accept it with a reason or undo it.",
        path=page_of(incident),
        about=incident.environment,
    )


def resolve(incident: DriftIncident, *, by: str, reason: str, file: MigrationFile | None = None) -> None:
    """Take what was found as right from now on, with a reason and, where one explains it, the registered migration."""
    if not reason.strip():
        raise Refused("Say why this change is right. Nothing was changed.")
    with transaction.atomic():
        row = DriftIncident.objects.select_for_update().select_related("found", "environment").get(pk=incident.pk)
        if row.status != DriftIncident.Status.OPEN:
            raise Refused(f"This incident is {row.get_status_display().lower()} already. Nothing was changed.")
        if row.found_id != incident.found_id:
            raise Refused("The schema changed again while you looked. Nothing was changed; look at it once more.")
        accepted = [row.pk, row.found_id, reason.strip(), file.sha256 if file else ""]
        about = f"{row.environment.slug} (incident {row.pk})"
        spend(by, Binding("migrations.accept_drift", about, digest_of(accepted)))
        fingerprint = row.found
        fingerprint.trusted_because, fingerprint.trusted_at = f"accepted by {by}: {reason}"[:300], database_time()
        fingerprint.save()
        row.file = file
        status = DriftIncident.Status.EXPLAINED if file else DriftIncident.Status.ACCEPTED
        _close(row, status, by, reason.strip())


def _close(incident: DriftIncident, status: str, by: str, reason: str) -> None:
    incident.status, incident.resolved_by, incident.reason = status, by, reason
    incident.resolved_at = database_time()
    incident.save()
    data = {"incident": incident.pk, "status": status, "reason": reason, "count": len(incident.changes)}
    _tell("resolved", incident.environment, by, data | {"file": incident.file.sha256 if incident.file else ""})


def _tell(what: str, environment: Environment, actor: str, data: dict[str, object]) -> None:
    record(
        f"migrations_registry.drift.{what}",
        actor=actor,
        environment=environment.slug,
        subject=environment.slug,
        data=data,
    )


def hourly() -> None:
    """Look at every environment whose database this process can reach; one failure never hides the others."""
    _forget()
    one_by_one(Environment.objects.of_the_product(), _look_here)


def _look_here(environment: Environment) -> None:
    try:
        look(environment)
    except Refused:
        return
    except ProviderError as error:
        logger.warning("the schema of %s could not be read: %s", environment.slug, error)


def _forget() -> None:
    """Old looks that nobody vouches for and no incident shows lose their text."""
    named = DriftIncident.objects.values_list("found_id", flat=True)
    old = SchemaFingerprint.objects.filter(trusted_at=None).exclude(pk__in=named).order_by("-pk")
    keep_from = old.values_list("pk", flat=True)[KEPT : KEPT + 1].first()
    if keep_from:
        old.filter(pk__lte=keep_from).delete()
