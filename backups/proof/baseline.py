"""Which runs the present state continues: a restore of the live rows undoes what came after its target, legally.

In: a query of runs and their environment. Out: the runs without those whose rows a restore has taken back on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q, QuerySet

from backups.models import Restore, Run
from backups.models.provider_backup import KINDS
from operations.models import Environment, Operation
from providers.postgres import CHAIN_TABLE


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
        (datetime.fromisoformat(one.result["restored_to"]), datetime.fromisoformat(one.result["restored_at"]))
        for one in done.only("result")
    ]
