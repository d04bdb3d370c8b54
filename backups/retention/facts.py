"""Retention on real rows: what the portal and the store know of a policy's runs, and what is therefore kept.

In: a policy. Out: a Plan of `backups.retention`. Reads only; `backups.retention_kinds` acts on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from django.db.models import Exists, OuterRef
from django.utils import timezone

from backups.archive.manifest import manifest_key
from backups.models import Incident, Policy, Restore, Run, Segment
from backups.models.run import RunStatus
from backups.policy_spec import RESTORE_POINT, is_restore_point
from backups.retention.model import Clock, Fact, Plan
from backups.retention.plan import plan, wanted_by
from backups.stores.trusted_manifest import store_of
from operations.models import Operation
from operations.models.operation import TERMINAL
from operations.periodic.clock import database_time

READERS = ("backups.restore", "backups.verify")


def clock() -> Clock:
    """This process's clock and the database's."""
    return Clock(timezone.now(), database_time())


def planned(policy: Policy, missing: frozenset[str] = frozenset()) -> Plan:
    """What the rows say now; `missing` are runs whose objects the store does not show."""
    return plan(facts(policy, missing), policy.rule(), clock())


def looked_at(policy: Policy) -> tuple[Plan, frozenset[str]]:
    """The same after looking into the store for whatever is to be relied on. Raises ProviderError when it is away."""
    seen: set[str] = set()
    missing: frozenset[str] = frozenset()
    while True:
        known = sorted(facts(policy, missing), key=lambda fact: fact.at, reverse=True)
        unseen = set(wanted_by(known, policy.rule())) - seen
        if not unseen:
            return plan(known, policy.rule(), clock()), missing
        seen |= unseen
        missing |= incomplete(Run.objects.filter(pk__in=unseen))


def incomplete(runs: Iterable[Run]) -> frozenset[str]:
    """Runs whose manifest is missing, or any object of them is, or has another size."""
    unreadable = set()
    for run in runs:
        stored = {item.key: item.size_bytes for item in store_of(run).list(f"runs/{run.pk}/")}
        wanted = Segment.objects.filter(run=run).values_list("key", "stored_bytes")
        if manifest_key(run.pk) not in stored or any(stored.get(key) != size for key, size in wanted):
            unreadable.add(run.pk)
    return frozenset(unreadable)


def facts(policy: Policy, missing: frozenset[str] = frozenset()) -> list[Fact]:
    """Every stored run of the policy that still has data; the demo's seeded story has no objects and takes no part."""
    stored = Run.objects.filter(policy=policy, operation__seeded=False, purged_at=None).exclude(stored_at=None)
    shown = Incident.objects.open().filter(seen_in=OuterRef("pk"))
    held = Run.objects.held().filter(pk=OuterRef("pk"))
    runs = stored.defer("tables", "warnings", "reason").annotate(on_hold=Exists(held), altered=Exists(shown))
    busy, point = read_now(policy), newest_point(policy)
    facts_now = [
        _fact(run, run.pk not in missing, run.on_hold, run.altered, run.pk in busy)
        for run in runs.select_related("operation")
    ]
    return [replace(fact, newest=fact.run == point) for fact in facts_now]


def newest_point(policy: Policy) -> str:
    """The youngest proven restore point of the environment of one; nothing for other policies."""
    if not is_restore_point(policy.name):
        return ""
    points = Run.objects.counting().filter(
        policy__environment=policy.environment_id, policy__name__regex=f"^{RESTORE_POINT}$", purging_at=None
    )
    return points.order_by("-started_at").values_list("pk", flat=True).first() or ""


def read_now(policy: Policy) -> set[str]:
    """Runs that an operation restores or checks, or is about to: asked for and not ended."""
    asked = Operation.objects.filter(kind__in=READERS, environment=policy.environment_id).exclude(status__in=TERMINAL)
    running = Restore.objects.filter(run__policy=policy, status=Restore.Status.RUNNING)
    named = {str(parameters.get("run", "")) for parameters in asked.values_list("parameters", flat=True)}
    return named | set(running.values_list("run_id", flat=True))


def _fact(run: Run, present: bool, held: bool, altered: bool, busy: bool) -> Fact:
    return Fact(
        run=run.pk,
        at=run.snapshot_at or run.started_at,
        proven=run.status == RunStatus.PROVEN,
        present=present,
        held=held,
        altered=altered,
        busy=busy,
        retained_until=run.retained_until,
        brought_back_at=run.brought_back_at,
        retired_at=run.retired_at,
        purging=run.purging_at is not None and run.purged_at is None,
        purged=run.purged_at is not None,
        ended_at=run.operation.ended_at,
    )
