"""What an open transaction did, read from the server before it is committed, whoever did it and however.

In: the transaction's session, and a second one of the same role that sees what everybody else sees. Out: Measured.
Statistics count rows per relation (PostgreSQL 17, 27.2.2), the catalogs' own rows say the rest; names are always
qualified and nothing is prepared, because the file could have put other things in their places.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from providers.errors import ProviderError, Refused
from providers.postgres.connection import Connection, statements
from providers.postgres.migrate.catalog_changes import DROPPED, Change, seen, without_parts, without_rebuilt
from providers.postgres.migrate.catalog_rows import Ids, Name, Row, changed_rows, fetch_rows, owners
from providers.postgres.migrate.catalogs import CATALOGS
from providers.postgres.migrate.deferred import run_what_waits
from providers.postgres.migrate.hidden_effects import REWRITTEN, adopted, files, sequences, tied, unreadable

Counts = tuple[int, int, int]
VERBS = ("inserted", "updated", "deleted")
KINDS = {"r": "table", "p": "table", "m": "materialized view", "S": "sequence"}
# What the answers depend on, and whether a COMMIT is on disk when it says so; whatever the file left behind.
SETTINGS = {
    "search_path": "pg_catalog, pg_temp",
    "statement_timeout": "30000ms",
    "client_encoding": "UTF8",
    "synchronous_commit": "on",
}


@dataclass(frozen=True)
class Start:
    """What was true right after BEGIN: counters are the backend's pending ones, so not zero."""

    xid: int
    counters: dict[int, Counts]
    sequences: dict[int, int | None]
    empty: frozenset[int]
    advisory_locks: int


@dataclass(frozen=True)
class Measured:
    """Every effect, how long the questions took while locks were held, and how often deferred triggers were run."""

    changes: tuple[Change, ...]
    seconds: float
    rounds: int


def start(own: Connection, other: Connection) -> Start:
    """Right after BEGIN, before anything else runs. Raises Refused where the server would not count.

    The other session looks at the sequences: to look at one locks it, and that lock tells who moved it.
    """
    own.prepare_threshold = None
    facts = _session(own)
    counters = {oid: (i, u, d) for oid, i, u, d in fetch_rows(own, statements("effects_counters"))}
    values = dict(fetch_rows(other, statements("effects_sequences")))
    empty = frozenset(oid for (oid,) in fetch_rows(own, statements("effects_empty")))
    return Start(facts.xid, counters, values, empty, facts.advisory_locks)


def measure(own: Connection, other: Connection, begun: Start) -> Measured:
    """Run what waits for COMMIT, then say what the transaction did. Nothing may run between this and COMMIT.

    Raises Refused where what it did cannot be told; the caller rolls back.
    """
    rounds = run_what_waits(own)
    began = time.monotonic()
    own.execute("RESET SESSION AUTHORIZATION", prepare=False)
    own.execute("RESET ROLE", prepare=False)
    for session in (own, other):
        _pin(session)
    facts = _session(own)
    ids = _same_transaction(other, facts.xid, begun.xid)
    counters = {oid: (i, u, d) for oid, i, u, d in fetch_rows(own, statements("effects_counters"))}
    moved = {oid: _less(now, begun.counters.get(oid, (0, 0, 0))) for oid, now in counters.items()}
    changes = [*_rows(other, moved), *_objects(own, other, moved, ids, begun.empty)]
    restarted = {change.name for change in changes if change.verb == REWRITTEN}
    changes += [change for change in sequences(own, other, begun.sequences) if change.name not in restarted]
    if facts.advisory_locks < begun.advisory_locks:
        changes.append(Change(DROPPED, "advisory lock of the session", ()))
    return Measured(tuple(changes), time.monotonic() - began, rounds)


@dataclass(frozen=True)
class _Session:
    xid: int
    advisory_locks: int


def _session(connection: Connection) -> _Session:
    xid, locks, counts, mods, cursors, replication = fetch_rows(connection, statements("effects_start"))[0]
    reasons = {
        "the server does not count rows in this session (track_counts is off)": counts != "on",
        "the session may write system catalogs (allow_system_table_mods is on)": mods == "on",
        "a cursor WITH HOLD would run its query at COMMIT": cursors > 0,
        "triggers and foreign keys are switched off in the session (session_replication_role)": replication != "origin",
    }
    if why := next((reason for reason, true in reasons.items() if true), ""):
        raise Refused(
            f"What the transaction does cannot be told: {why}. It was rolled back, nothing was changed. Take out of "
            "the file, or of what it calls, whatever sets that."
        )
    return _Session(int(xid), int(locks))


def _pin(connection: Connection) -> None:
    for name, value in SETTINGS.items():
        connection.execute("SELECT pg_catalog.set_config(%s, %s, false)", [name, value], prepare=False)


def _same_transaction(other: Connection, xid: int, begun: int) -> Ids:
    if xid != begun:
        raise Refused(
            "Something in the file ended the transaction that was begun for it, so what was done before that is not "
            "known and was not taken back. Look at the database now, and take COMMIT and ROLLBACK out of the file."
        )
    recovers, status, newest = fetch_rows(other, statements("effects_ids"), {"xid": str(xid)})[0]
    if (recovers, status) != (False, "in progress"):
        raise ProviderError("The second session is on another server than the transaction. Nothing was changed.", True)
    return Ids(xid, int(newest))


def _less(now: Counts, before: Counts) -> Counts:
    return (now[0] - before[0], now[1] - before[1], now[2] - before[2])


def _rows(other: Connection, moved: dict[int, Counts]) -> Iterator[Change]:
    """Rows of relations that exist for everybody else: what the transaction put into its own ones is its own affair."""
    relations = fetch_rows(
        other, statements("effects_relations"), {"oids": [oid for oid, counts in moved.items() if any(counts)]}
    )
    named = [relation for relation in relations if relation[1] != "pg_catalog"]
    rows = [Row({}, "pg_class", oid, KINDS.get(kind, "table"), (schema, name)) for oid, schema, name, kind in named]
    for row, above in zip(rows, owners(other, rows), strict=True):
        for verb, count in zip(VERBS, moved[row.oid], strict=True):
            if count:
                yield Change(verb, row.kind, row.name, rows=count, owners=above)


def _objects(
    own: Connection, other: Connection, moved: dict[int, Counts], ids: Ids, were_empty: frozenset[int]
) -> Iterator[Change]:
    written = _written(other, moved)
    pairs = [
        pair
        for name, counts in written.items()
        if name in CATALOGS
        for pair in changed_rows(own, other, CATALOGS[name], ids, removed=counts[2] > 0)
    ]
    changes = without_rebuilt([change for pair in pairs for change in seen(pair)])
    if "pg_depend" in written:
        changes += adopted(own, ids)
        yield from tied(own, other, ids)
    gone = [change for change in changes if change.is_gone]
    here = [change for change in changes if not change.is_gone]
    before = owners(other, [change.row for change in [*gone, *here]])
    now = [*(frozenset[Name]() for _ in gone), *owners(own, [change.row for change in here])]
    for change in without_parts([*gone, *here], before, now):
        yield change.change
    yield from files(own, other, pairs, were_empty)
    yield from unreadable(own, other, written)


def _written(other: Connection, moved: dict[int, Counts]) -> dict[str, Counts]:
    """System catalogs that the transaction wrote."""
    relations = fetch_rows(
        other, statements("effects_relations"), {"oids": [oid for oid, counts in moved.items() if any(counts)]}
    )
    return {name: moved[oid] for oid, schema, name, _ in relations if schema == "pg_catalog"}
