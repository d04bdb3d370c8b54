"""The periodic jobs: which ran when, how long, where, and what is late or fails. In: heartbeats. Out: rows, checks."""

from __future__ import annotations

from collections.abc import Iterator

from operations.doctor import Check, register
from operations.doctor.duties import duties
from operations.models import Environment, Heartbeat


@register
def periodic_jobs(environment: Environment | None) -> Iterator[Check]:
    """One line for each job that fails or is late, else one for all."""
    if environment is not None:
        return
    rows = duties()
    why = "What time does, nobody else does."
    for duty in rows:
        if duty.error:
            yield Check(f"job {duty.name}", "bad", duty.error, why, "Read the worker's log; it is tried again.")
        elif duty.seconds_ago is None:
            fix = "Start a worker; what signs votes and the ledger is done by those that hold the key for it."
            yield Check(f"job {duty.name}", "warn", "never began", why, fix)
        elif duty.is_late:
            found = f"began {duty.seconds_ago:.0f} s ago, every {duty.every_seconds:g} s"
            yield Check(f"job {duty.name}", "warn", found, why, "It hangs or no worker ticks; start the worker anew.")
    well = sum(not duty.error and not duty.is_late for duty in rows)
    yield Check("periodic jobs", "ok", f"{well} of {len(rows)} run in time", why)


@register
def clocks(environment: Environment | None) -> Iterator[Check]:
    """Machines that told of a wrong clock."""
    for row in Heartbeat.objects.filter(name__startswith="alarm:clock of ", detail__bad=True):
        name = row.name.removeprefix("alarm:")
        yield Check(name, "bad", "differs from the database's", "Codes and signatures fail.", "Switch NTP on there.")
