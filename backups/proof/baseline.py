"""The last good run that a run is compared with. In: a run. Out: a Comparison, made once for drill and incidents.

A restore of the live rows undoes what came after its target, legally: such runs are no baseline.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q, QuerySet

from backups.archive import keys
from backups.archive.manifest import Manifest
from backups.facts import store as facts_store
from backups.models import Incident, Restore, Run
from backups.models.provider_backup import KINDS
from backups.progress import Watch
from backups.proof.comparison import Comparison
from backups.stores.trusted_manifest import store_of, trusted_manifest
from operations.models import Environment, Operation
from providers.errors import ProviderError
from providers.postgres import CHAIN_TABLE
from providers.storage.base import Missing, Store, StoreError

ABSOLUTE = ("chain_broken", "assignment_unaudited", "anomaly")


def comparison_for(run: Run, watch: Watch) -> Comparison:
    """Nothing for the portal itself, whose rows change as they should. An outage is raised: the proof is retried."""
    environment = run.policy.environment
    baseline = None if environment.kind == Environment.Kind.PORTAL else last_good(run)
    known = accepted(environment, baseline)
    if baseline is None:
        return Comparison(accepted=known)
    store = store_of(baseline)
    manifest, problem = _manifest(baseline, store)
    if manifest is None:
        return Comparison(baseline, accepted=known, not_compared=problem)
    facts = facts_store.earlier(store, manifest, keys.verifier(), watch)
    return Comparison(baseline, manifest, store, facts, known)


def _manifest(baseline: Run, store: Store) -> tuple[Manifest | None, str]:
    """The last good run's manifest, or why it cannot be compared with."""
    try:
        return trusted_manifest(baseline, store), ""
    except Missing as error:
        return None, error.message
    except StoreError:
        raise
    except ProviderError as error:
        return None, error.message


def last_good(run: Run) -> Run | None:
    """What a run is compared with: the newest earlier run of its policy that nobody has to explain any more."""
    return good_before(run).first()


def good_before(run: Run) -> QuerySet[Run]:
    earlier = Run.objects.good().filter(policy=run.policy_id).exclude(pk=run.pk)
    if run.snapshot_at is not None:
        earlier = earlier.filter(snapshot_at__lt=run.snapshot_at)
    return continued(earlier, run.policy.environment).order_by("-snapshot_at")


def accepted(environment: Environment, baseline: Run | None) -> frozenset[str]:
    """Fingerprints of what people explained. What is a difference is accepted until a later run became the good one."""
    rows = Incident.objects.filter(environment=environment, status=Incident.Status.RESOLVED).exclude(fingerprint="")
    if baseline is not None and baseline.snapshot_at is not None:
        rows = rows.filter(Q(code__in=ABSOLUTE) | Q(resolved_at__gt=baseline.snapshot_at))
    return frozenset(rows.values_list("fingerprint", flat=True))


def continued(runs: QuerySet[Run], environment: Environment) -> QuerySet[Run]:
    """Without runs taken after a restore's target and before its end: the next run need not begin with them."""
    for since, until in undone(environment):
        runs = runs.exclude(Q(snapshot_at__gt=since) & Q(snapshot_at__lt=until))
    return runs


def undone(environment: Environment) -> list[tuple[datetime, datetime]]:
    """Spans (target, end) of the restores that really happened: at Supabase, or of our runs onto live tables."""
    return [*_at_the_provider(environment), *_of_our_runs(environment)]


def _of_our_runs(environment: Environment) -> Iterator[tuple[datetime, datetime]]:
    """Only those that brought the audit trail back: another table's rows undo nothing of it."""
    done = Restore.objects.filter(target="live", status=Restore.Status.SUCCEEDED, run__policy__environment=environment)
    for row in done.select_related("run", "operation"):
        only = str(row.operation.parameters.get("tables", ""))
        if row.run.snapshot_at and row.ended_at and (not only.strip() or CHAIN_TABLE in only):
            yield row.run.snapshot_at, row.ended_at


def _at_the_provider(environment: Environment) -> list[tuple[datetime, datetime]]:
    done = Operation.objects.filter(kind__in=KINDS, environment=environment, result__has_key="restored_at")
    return [
        (datetime.fromisoformat(restore.result["restored_to"]), datetime.fromisoformat(restore.result["restored_at"]))
        for restore in done.only("result")
    ]
