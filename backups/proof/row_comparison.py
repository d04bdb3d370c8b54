"""The comparison with the last good run, inside the drill: what was altered, removed or never audited in production.

In: a loader whose drill database holds today's rows, a Comparison. Out: Examined. Only those segments of the earlier
run are loaded that are not byte for byte in today's: unchanged history costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TypeVar

import psycopg

from backups.archive.loader import Loader
from backups.archive.manifest import Manifest, Segment, Table
from backups.archive.subset import shared_out
from backups.proof.comparison import Comparison, missing_from
from backups.proof.findings import KEPT_ROWS, Examined, Finding, altered_rows, column_gone, table_gone
from backups.proof.guards import changes_of_guards
from providers import postgres
from providers.counting import counted
from providers.errors import ProviderError
from providers.postgres.audit_trail import late, tamper
from providers.postgres.audit_trail.chains import CHAIN_COLUMNS
from providers.postgres.audit_trail.verifier import KIND
from providers.postgres.connection import Connection
from providers.postgres.error_facts import explain_load, is_of_the_server
from providers.storage.base import StoreError

STAGING_SCHEMA = "sampelit_ops_before"
T = TypeVar("T")


def examine(loader: Loader, comparison: Comparison, reader: str) -> Examined:
    """Compare, and ask the product's own check as `reader`.

    A comparison that cannot be made says why; it never fails the proof.
    """
    began = time.monotonic()
    before, store = comparison.manifest, comparison.store
    done = Examined(baseline=before.run if before else "", verifier=_verifier(loader, reader))
    try:
        for table in loader.manifest.audit_tables:
            done = replace(done, findings=(*done.findings, *_unaudited(loader, table)))
        if before is not None and store is not None:
            earlier_run = Loader(before, store, loader.connection, loader.identities, loader.watch)
            done = replace(done, findings=(*done.findings, *changes_of_guards(loader, earlier_run)))
            for table in before.audit_tables:
                done = _compare(loader, earlier_run, table, done)
    except psycopg.Error as error:
        if is_of_the_server(error):
            raise  # a server without room: the proof is tried again
        done = replace(done, not_compared=explain_load(error, "The comparison with the last good run").message)
    except StoreError:
        raise  # an outage: the proof is tried again
    except ProviderError as error:
        done = replace(done, not_compared=error.message)
    return replace(done, milliseconds=int((time.monotonic() - began) * 1000))


def _today(manifest: Manifest, earlier: Table) -> Table | None:
    return next((table for table in manifest.audit_tables if table.qualified == earlier.qualified), None)


def _compare(loader: Loader, earlier_run: Loader, earlier: Table, done: Examined) -> Examined:
    today = _today(loader.manifest, earlier)
    if today is None:
        there = next((t for t in loader.manifest.tables if t.qualified == earlier.qualified), None)
        missing = sorted(CHAIN_COLUMNS - {c.name for c in there.columns}) if there else []
        return replace(done, findings=(*done.findings, table_gone(earlier.qualified, earlier.rows, missing)))
    done = replace(done, findings=(*done.findings, *_new_but_old(loader, earlier_run.manifest, earlier, today)))
    segments = missing_from(earlier, today)
    if not segments:
        return done
    pair = _pair(loader, earlier, today)
    rows = _load(earlier_run, earlier, segments, pair)
    loader.watch.log(f"{today.qualified}: {counted(rows, 'row')} of {earlier_run.manifest.name} compared with today's.")
    differences = attended(loader, lambda: tamper.find_differences(loader.connection, pair, KEPT_ROWS))
    findings = (altered_rows(today.qualified, difference) for difference in differences)
    return replace(done, rows_loaded=done.rows_loaded + rows, findings=(*done.findings, *findings))


def _new_but_old(loader: Loader, before: Manifest, earlier: Table, today: Table) -> list[Finding]:
    """Rows that came since the earlier run and say that they are older, and columns that went."""
    heads = [(head.chain, head.last) for head in earlier.chains or ()]
    name, at = (today.schema, today.name), before.source.taken_at
    older = attended(loader, lambda: late.backdated(loader.connection, name, heads, at, KEPT_ROWS))
    there = {column.name for column in today.columns}
    gone = [column_gone(today.qualified, c.name, c.type) for c in earlier.columns if c.name not in there]
    return [*([altered_rows(today.qualified, older)] if older else []), *gone]


def _staged(loader: Loader, earlier: Table) -> dict[str, str]:
    """The earlier types; text stands for one that today's schema has not, where the rows are text anyway."""
    types = {column.name: column.type for column in earlier.columns}
    if earlier.formats != {"csv"}:
        return types
    query = "SELECT to_regtype(%s) IS NOT NULL"
    known = {kind: loader.connection.execute(query, [kind]).fetchone() == (True,) for kind in set(types.values())}
    return {name: kind if known[kind] else "text" for name, kind in types.items()}


def _pair(loader: Loader, earlier: Table, today: Table) -> tamper.Pair:
    """Which columns both have, under which types."""
    now = {column.name: column for column in today.columns}
    types = _staged(loader, earlier)
    name = (STAGING_SCHEMA, today.name)
    tamper.stage_earlier(loader.connection, name, list(types.items()))
    key = postgres.primary_key(loader.connection, (today.schema, today.name))
    columns = tuple(
        tamper.Compared(c, now[c].type, types[c], tamper.exact(now[c].type, now[c].hashed_as))
        for c in types
        if c in now
    )
    usable = key if key and set(key) <= {column.name for column in columns} else list(tamper.PLACE)
    return tamper.Pair(name, (today.schema, today.name), tuple(usable), columns)


def _load(earlier_run: Loader, earlier: Table, segments: list[Segment], pair: tamper.Pair) -> int:
    """The earlier segments into the staging table; answers how many rows that were."""
    rows_before = earlier_run.rows
    staged = replace(earlier, schema=pair.before[0], name=pair.before[1], segments=tuple(segments))
    earlier_run.load(staged)
    if earlier_run.problems:
        run, problems = earlier_run.manifest.name, " ".join(earlier_run.problems[:3])
        raise ProviderError(f"{run} could not be read back: {problems}")
    return earlier_run.rows - rows_before


def attended(loader: Loader, work: Callable[[], T], sessions: Sequence[Connection] = ()) -> T:
    """Run one long statement, on `sessions` where it is not the loader's; a cancel or a lost lease stops it in the
    server."""
    with ThreadPoolExecutor(1) as worker:
        running = worker.submit(work)
        try:
            while wait([running], 1.0).not_done:
                loader.watch.check()
        except BaseException:
            for connection in sessions or [loader.connection]:
                connection.cancel()
            raise
        return running.result()


def _unaudited(loader: Loader, audit: Table) -> list[Finding]:
    """Assignments of the same schema whose decision no audit row tells of."""
    assignments = [t for t in loader.manifest.tables if (t.schema, t.name) == (audit.schema, "assignments")]
    needed = {"id", "experiment_id", "user_id", "assigned_at"}
    if not assignments or not needed <= {c.name for c in assignments[0].columns}:
        return []
    if "assignment_id" not in {column.name for column in audit.columns}:
        return []
    names = (audit.schema, audit.name), (assignments[0].schema, assignments[0].name)
    taken_at = loader.manifest.source.taken_at
    difference = attended(loader, lambda: late.unaudited(loader.connection, *names, taken_at, KEPT_ROWS))
    return [altered_rows(assignments[0].qualified, difference)] if difference else []


def _verifier(loader: Loader, reader: str) -> dict[str, object]:
    """What the product's own check says of today's rows; its definition came with the run."""
    tables = loader.manifest.audit_tables
    defined = [s for s in loader.manifest.statements if s.kind == KIND and tables and s.table == tables[0].qualified]
    if not tables or not defined:
        return {"problem": "this run does not hold its definition"} if tables else {}
    name, chains = (tables[0].schema, tables[0].name), tables[0].chains or ()
    halves = [[chain.chain for chain in half] for half in shared_out(chains, 2, lambda chain: chain.rows)]

    def ask(sessions: Sequence[Connection], run: Callable[[], postgres.Said]) -> postgres.Said:
        return attended(loader, run, sessions)

    answer = postgres.ask_verifier(loader.connection, reader, defined[0].sql, name, halves, ask)
    return {"chains": answer.chains, "rows": answer.rows, "invalid": answer.invalid, "problem": answer.problem}
