"""Which runs the present state continues: a restore at Supabase undoes what came after its target, and that is legal.

In: a query of runs and their environment. Out: the runs without those whose rows a restore has taken back on purpose.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from backups.models import Run
from backups.provider.target import KINDS
from operations.models import Environment, Operation


def continued(runs: QuerySet[Run], environment: Environment) -> QuerySet[Run]:
    """Without runs taken after a restore's target and before its end: the next run need not begin with them."""
    for since, until in undone(environment):
        runs = runs.exclude(Q(snapshot_at__gt=since) & Q(snapshot_at__lt=until))
    return runs


def undone(environment: Environment) -> list[tuple[datetime, datetime]]:
    """Spans (target, end) of the restores that really happened here."""
    done = Operation.objects.filter(kind__in=KINDS, environment=environment, result__has_key="restored_at")
    return [
        (datetime.fromisoformat(one.result["restored_to"]), datetime.fromisoformat(one.result["restored_at"]))
        for one in done.only("result")
    ]
