"""How many rows each UPDATE and DELETE of a file would touch now, for the people who decide about it.

In: a file, an environment, its facts. Out: counts by statement, good for half a minute; none where nobody can tell.
"""

from __future__ import annotations

import time
from itertools import islice

import psycopg
from django.db.models import Exists

from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.model import Analysis
from migrations_registry.effects.row_counts import RowCount
from migrations_registry.effects.row_queries import row_queries
from migrations_registry.models import MigrationFile, Plan
from migrations_registry.models.applied import asks_for
from operations.dsns import reading_dsn
from operations.models import Environment, Operation
from operations.models.operation import TERMINAL
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.postgres.migrate.row_counts import count_rows

RECENT_SECONDS = 30.0
MOST = 20
_recent: dict[tuple[str, str], tuple[float, tuple[RowCount, ...]]] = {}


def counts_of(
    file: MigrationFile, environment: Environment, facts: CatalogFacts | None, analysis: Analysis
) -> tuple[RowCount, ...]:
    """What was shown to those who decide, or what is there now; nothing where no statement has rows to count."""
    if not any(statement.kind in ("UpdateStmt", "DeleteStmt") for statement in analysis.statements):
        return ()
    counts = shown(file, environment)
    if counts is None:
        counts = count_recently(file, environment, facts) if facts else ()
    return counts


def count_recently(file: MigrationFile, environment: Environment, facts: CatalogFacts) -> tuple[RowCount, ...]:
    """The same, good for half a minute: a page asks several times."""
    key = (environment.slug, file.sha256)
    asked_at, known = _recent.get(key, (0.0, ()))
    if asked_at and time.monotonic() - asked_at < RECENT_SECONDS:
        return known
    counts = count_now(file, environment, facts)
    _recent.clear()
    _recent[key] = (time.monotonic(), counts)
    return counts


def count_now(file: MigrationFile, environment: Environment, facts: CatalogFacts) -> tuple[RowCount, ...]:
    """Asked of the target, with a limit of a second each; the first ones of a long file."""
    queries = list(islice(row_queries(file.data, facts), MOST))
    if not queries:
        return ()
    try:
        with postgres.connect(reading_dsn(environment), timeout=3) as connection:
            numbers = count_rows(connection, [query.text for query in queries])
    except (Refused, ProviderError, psycopg.Error):
        return ()
    return tuple(
        RowCount(query.statement, query.verb, query.table, rows)
        for query, rows in zip(queries, numbers, strict=True)
        if rows is not None
    )


def shown(file: MigrationFile, environment: Environment) -> tuple[RowCount, ...] | None:
    """What the people were shown who were asked about this file; None while no request for it is open."""
    asked = Operation.objects.filter(asks_for(file.sha256), environment=environment)
    is_open = Exists(asked.exclude(status__in=TERMINAL))
    plans = Plan.objects.filter(is_open, file=file, environment=environment).order_by("-made_at")
    counts = plans.values_list("row_counts", flat=True).first()
    return None if counts is None else tuple(RowCount(**count) for count in counts)
