"""Collecting a run's facts in the drill server, while its rows are readable there and nowhere else.

In: a loaded drill, the facts of the last proven run. Out: RunFacts. A failure here never changes the proof's verdict.
"""

from __future__ import annotations

import psycopg

from backups.archive.loader import Loader
from backups.archive.manifest import Manifest, Table
from backups.facts.model import Conversions, End, Month, RunFacts, TableFacts
from backups.facts.sequence_ranges import from_multirange, multirange, packed
from providers.postgres.audit_trail import chain_facts as sql
from providers.postgres.error_facts import facts_of


def collect(loader: Loader, previous: Manifest | None, before: RunFacts | None) -> RunFacts | None:
    """The facts, or None where the server could not give them: the log then says why."""
    try:
        with loader.connection.transaction():
            return _collect(loader, previous, before)
    except psycopg.Error as error:
        loader.watch.log(f"No facts for later reports were written down: {facts_of(error)}.")
        return None


def _collect(loader: Loader, previous: Manifest | None, before: RunFacts | None) -> RunFacts:
    manifest = loader.manifest
    if before is not None and (previous is None or before.manifest_sha256 != previous.sha256):
        before = None
    chained = [table for table in manifest.tables if table.chains is not None]
    return RunFacts(
        run=manifest.run,
        manifest_sha256=manifest.sha256,
        environment=manifest.environment,
        policy=manifest.policy,
        taken_at=manifest.source.taken_at,
        tables=tuple(_table(loader, table, previous, before) for table in chained),
        previous=previous.run if previous else "",
        previous_sha256=previous.sha256 if previous else "",
    )


def _table(loader: Loader, table: Table, previous: Manifest | None, before: RunFacts | None) -> TableFacts:
    key, columns = (table.schema, table.name), [column.name for column in table.columns]
    facts = sql.chain_facts(loader.connection, key, columns)
    months = tuple(Month(**{**vars(fact), "places": _places(fact.places)}) for fact in facts)
    earlier = next((t for t in previous.tables if t.qualified == table.qualified), None) if previous else None
    heads = [(head.chain, head.last) for head in (earlier.chains or ())] if earlier else []
    ends = sql.chain_ends(loader.connection, key, heads) if heads else []
    wanted = _changed(before.table(table.qualified) if before else None, months)
    now = sql.conversion_ends(loader.connection, key, columns, wanted) if wanted else []
    loader.watch.log(f"{table.qualified}: facts about {len(months)} months of chains written down.")
    return TableFacts(
        table.qualified, months, tuple(End(*values) for values in ends), tuple(Conversions(*values) for values in now)
    )


def _places(text: str | None) -> str | None:
    return None if text is None else packed(from_multirange(text))


def _changed(before: TableFacts | None, now: tuple[Month, ...]) -> list[tuple[str, str, str]]:
    """The months whose conversions are not what they were, with the places that had one."""
    if before is None:
        return []
    same = {(month.chain, month.month): month.conversions_sha256 for month in now}
    return [
        (month.chain, month.month, multirange(month.converted or []))
        for month in before.months
        if month.places is not None
        and month.conversions
        and same.get((month.chain, month.month)) != month.conversions_sha256
    ]
