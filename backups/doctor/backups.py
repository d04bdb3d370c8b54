"""Live checks of backups: keys, where the copies lie, room for a drill, red slots. Registered in AppConfig.ready."""

from __future__ import annotations

import os
from collections.abc import Iterator

from django.conf import settings
from django.db.models import Count

from backups import disk_space
from backups.archive import keys
from backups.doctor import preflight
from backups.models import Incident, Run, Slot, StoreReport
from backups.policies import overdue
from backups.stores import configured
from operations import doctor
from operations.doctor import Check
from operations.dsns import known_dsn
from operations.models import Environment
from operations.periodic.clock import database_time
from operations.web import formatting
from providers import machine


def backup_keys(environment: Environment | None) -> Iterator[Check]:
    """Two recipients, so that one lost key is not a lost backup; a signature, so that a forged manifest shows."""
    count = len(keys.recipients())
    why = "Whoever can read the store can read unencrypted rows; with one key only, its loss is the loss of all."
    fix = "Make keys with `sampelit-ops keys create age` and set BACKUP_AGE_RECIPIENTS to two or more."
    tone = "ok" if count >= 2 else "bad" if count and not settings.DEMO else "warn"
    yield Check("backup recipients", tone, f"{count} configured", why, "" if tone == "ok" else fix)
    accepted = keys.verifiers()
    why = "Without a signature only the portal's own database tells a forged manifest from a real one."
    fix = "Make a key (`sampelit-ops keys create signing`); set BACKUP_SIGNING_KEY (workers), BACKUP_PUBLIC_KEYS (web)."
    state = ", ".join(key.key_id for key in accepted) or "no key"
    yield Check("backup signatures", "ok" if accepted else "warn", state, why, "" if accepted else fix)


def backup_place(environment: Environment | None) -> Iterator[Check]:
    """A local directory on a platform's disk is gone with the next deploy."""
    local = settings.BACKUP_STORE.startswith("file:")
    ephemeral = local and bool(os.environ.get("RENDER"))
    state = "a local directory" if local else "an S3 bucket"
    why = "A copy on this machine's own disk is lost together with the machine."
    fix = "Set BACKUP_STORE to s3://bucket/prefix?region=R." if ephemeral else ""
    tone = "warn" if ephemeral else "idle" if local else "ok"
    yield Check("backup place", tone, state + (" on an ephemeral disk" if ephemeral else ""), why, fix)


def backup_source(environment: Environment | None) -> Iterator[Check]:
    """What an export would be refused for: the database's identity against the last run, tables it may not read."""
    for environment_ in Environment.objects.filter(policies__enabled=True).distinct():
        dsn = known_dsn(environment_, "export")
        if dsn and environment in (None, environment_):
            yield from preflight.checks(environment_, dsn)


def backup_stores(environment: Environment | None) -> Iterator[Check]:
    """What the daily probe of each store found; a store that nobody probed is amber."""
    why = "A store is believed for what it was seen to do."
    probed = {row.url: row for row in StoreReport.objects.all()}
    for url, use in configured.known().items():
        row = probed.get(url)
        if row is None or database_time() - row.checked_at > 2 * configured.EVERY:
            fix = "Run `sampelit-ops probe_store`, or let the tick do it."
            yield Check(f"store {url}", "warn", "not probed lately", why, fix)
            continue
        for item in row.findings:
            if item["tone"] in ("warn", "bad"):
                yield Check(f"{use}: {item['name']}", item["tone"], item["found"], item["why"], item["fix"])
        if row.usable:
            yield Check(f"{use}", "ok", f"{url} was usable {formatting.relative(row.checked_at)}", why)


def backup_room(environment: Environment | None) -> Iterator[Check]:
    """Whether the largest of the newest runs can be restored on this machine's temporary disk."""
    largest = max(
        Run.objects.exclude(stored_at=None).order_by("-stored_at").values_list("raw_bytes", flat=True)[:20], default=0
    )
    needed, free = disk_space.disk_bytes(largest), machine.free_disk()
    missing = disk_space.problems(largest)
    memory = machine.free_memory()
    tone = "bad" if missing else "ok" if free > 2 * needed else "warn"
    state = f"{formatting.size(free)} of disk free, a drill needs {formatting.size(needed)}"
    if memory is not None:
        state += f"; {formatting.size(memory)} of memory free, it needs {formatting.size(disk_space.MEMORY_BYTES)}"
    fix = " ".join(missing) if missing else "" if tone == "ok" else "Give the proving worker a larger disk."
    yield Check("room for a restore drill", tone, state, "Without a drill no run is proven.", fix)


def backup_slots(environment: Environment | None) -> Iterator[Check]:
    """Scheduled runs that did not become proven and that nobody acknowledged."""
    red = Slot.objects.filter(status__in=["failed", "late", "missed"], acknowledged_by="")
    if environment is not None:
        red = red.filter(policy__environment=environment)
    count = red.count()
    fix = "Read the newest slot's reason, export again, and acknowledge the slots." if count else ""
    state = f"{count} red" if count else "none red"
    yield Check("backup slots", "bad" if count else "ok", state, "A slot is kept only by a proven run.", fix)


def backup_proofs(environment: Environment | None) -> Iterator[Check]:
    """The newest run of a policy that is stored and that nobody proved in time, scheduled or not."""
    late = [run for run in overdue.overdue() if environment in (None, run.policy.environment)]
    state = "; ".join(str(run) for run in late) or "each newest run has its proof"
    fix = "See that a worker of the pool prove is up and has BACKUP_AGE_IDENTITY, then verify the run again."
    why = "A copy that nobody restored may not be one."
    yield Check("backup proofs", "bad" if late else "ok", state, why, fix if late else "")


def altered_data(environment: Environment | None) -> Iterator[Check]:
    """Incidents that nobody has resolved."""
    why = "History that was altered is found only by comparing with an earlier run, and explained only by a person."
    rows = Incident.objects.open().values_list("environment__slug").annotate(Count("pk")).order_by()
    counted = dict(rows.filter(environment=environment) if environment else rows)
    for slug in [environment.slug] if environment else Environment.objects.values_list("slug", flat=True):
        number = counted.get(slug, 0)
        tone, state = ("bad", f"{number} open") if number else ("ok", "none open")
        fix = "Open Incidents in the sidebar, or run sampelit-ops incidents." if number else ""
        yield Check(f"{slug} incidents", tone, state, why, fix)


def register() -> None:
    for check in (
        backup_keys,
        backup_place,
        backup_source,
        backup_stores,
        backup_room,
        backup_slots,
        backup_proofs,
        altered_data,
    ):
        doctor.register(check)
