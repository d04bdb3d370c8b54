"""When a provider no longer has a thing: it was asked for by its id and not found twice, apart in time.

In: the row of what was not found just now. Out: whether it counts as gone. A list without it,
an empty answer or one of another shape says nothing.
"""

from __future__ import annotations

from datetime import timedelta

from deployments.models import Deployment, EdgeFunction, Service, VariableGroup
from operations.periodic.clock import database_time

APART = timedelta(seconds=30)
Thing = Service | Deployment | EdgeFunction | VariableGroup


def not_found(row: Thing) -> bool:
    """Note one 404; whether it is the second, far enough from the first."""
    now, rows = database_time(), type(row)._default_manager.filter(pk=row.pk)
    first = rows.values_list("missing_since", flat=True).first()
    if first is None:
        rows.filter(missing_since=None).update(missing_since=now)
        return False
    return now - first >= APART


def found(row: Thing) -> None:
    """It was answered: an earlier 404 was a passing one."""
    if row.missing_since is not None:
        type(row)._default_manager.filter(pk=row.pk).update(missing_since=None)
        row.missing_since = None
