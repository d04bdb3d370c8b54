"""Checks of the portal itself: database, migrations, workers, canaries, tick, queue, clock, ledger."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Min

from operations.doctor import Check, beats, register
from operations.models import Environment, Heartbeat, Operation
from operations.periodic.clock import database_time


@register
def portal_database(environment: Environment | None) -> Iterator[Check]:
    """Answers, how fast, and which version."""
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('server_version_num')::int")
        version, number = cursor.fetchone()
    took = (time.perf_counter() - began) * 1000
    why = "Everything the portal knows and does goes through its own database."
    tone = "bad" if number < 140_000 else ("warn" if took > 200 else "ok")
    fix = "Use PostgreSQL 14 or newer in the region of the web service." if tone != "ok" else ""
    yield Check("portal database", tone, f"PostgreSQL {version} answers in {took:.0f} ms", why, fix)


@register
def migrations(environment: Environment | None) -> Iterator[Check]:
    """Nothing is left to apply."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    state = f"{len(missing)} unapplied: {', '.join(str(m) for m, _ in missing[:3])}" if missing else "all applied"
    fix = "Run sampelit-ops migrate (the pre-deploy script does)." if missing else ""
    why = "Code and tables must fit each other."
    yield Check("migrations", "bad" if missing else "ok", state, why, fix)


@register
def workers(environment: Environment | None) -> Iterator[Check]:
    """A worker beats, and every queue's canary is eaten."""
    why = "Without workers nothing that was requested happens."
    fix = "Start sampelit-ops run_worker; on Render look at the worker service's log."
    fresh = database_time() - timedelta(seconds=beats.PATIENCE * settings.OPS_CANARY_SECONDS)
    alive = len(beats.living_workers())
    yield Check("workers", "ok" if alive else "bad", f"{alive} alive", why, "" if alive else fix)
    canaries = dict(Heartbeat.objects.filter(name__startswith="canary:").values_list("name", "beat_at"))
    for queue in sorted(set(settings.OPS_QUEUES.values())):
        at = canaries.get(f"canary:{queue}")
        ok = at is not None and at > fresh
        yield Check(f"canary {queue}", "ok" if ok else "bad", _ago(at), why, "" if ok else fix)


@register
def ticker(environment: Environment | None) -> Iterator[Check]:
    """Time passes: lost messages are sent again, schedules start, alarms are raised."""
    at = Heartbeat.objects.filter(name="tick").values_list("beat_at", flat=True).first()
    late = database_time() - timedelta(seconds=max(120.0, 6 * settings.OPS_TICK_SECONDS))
    ok = at is not None and at > late
    why = "The tick re-sends lost messages, starts schedules and raises alarms."
    yield Check("tick", "ok" if ok else "bad", _ago(at), why, "" if ok else "Workers tick by themselves; start one.")
    oldest = Operation.objects.due().filter(seeded=False).aggregate(at=Min("requested_at"))["at"]
    waited = (database_time() - oldest).total_seconds() if oldest else 0.0
    tone = "bad" if waited > 900 else ("warn" if waited > 300 else "ok")
    state = f"the oldest due operation waits {waited:.0f} s" if oldest else "nothing is due"
    yield Check(
        "queue", tone, state, "Requested work should start within minutes.", "" if tone == "ok" else "Add workers."
    )


@register
def clock(environment: Environment | None) -> Iterator[Check]:
    """This machine and the database agree about the time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        skew = abs((datetime.now(UTC) - cursor.fetchone()[0]).total_seconds())
    tone = "bad" if skew > 30 else ("warn" if skew > 2 else "ok")
    why = "What this machine writes to logs, certificates and signatures for object storage go by its clock."
    yield Check("clock", tone, f"{skew:.1f} s from the database's", why, "" if tone == "ok" else "Switch NTP on.")


@register
def ledger(environment: Environment | None) -> Iterator[Check]:
    """Its last verification."""
    beat = Heartbeat.objects.filter(name="ledger.verified").first()
    why = "The ledger is the proof of who did what."
    if beat is None:
        yield Check("ledger", "warn", "never verified", why, "Run sampelit-ops verify_ledger.")
        return
    valid, fresh = bool(beat.detail.get("valid")), beat.beat_at > database_time() - timedelta(hours=3)
    tone = "bad" if not valid else ("ok" if fresh else "warn")
    state = f"{'valid' if valid else 'ALTERED'}, {beat.detail.get('entries')} entries, verified {_ago(beat.beat_at)}"
    yield Check(
        "ledger", tone, state, why, "" if tone == "ok" else "Run sampelit-ops verify_ledger and read its problems."
    )


def _ago(at: datetime | None) -> str:
    return "never" if at is None else f"{max(0.0, (database_time() - at).total_seconds()):.0f} s ago"
