"""The comparison with the last good run, inside the drill: what was altered, removed or never audited in production.

In: a loader whose drill database holds today's rows, the last good run's manifest and store. Out: Examined. Only those
segments of the earlier run are loaded that are not byte for byte in today's: unchanged history costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TypeVar

import psycopg

from backups.archive.loader import Loader
from backups.archive.manifest import Manifest, Segment, Table
from backups.proof.findings import KEPT_ROWS, Examined, Finding, fingerprint
from providers import postgres
from providers.errors import ProviderError
from providers.postgres.audit_trail import tamper
from providers.postgres.audit_trail.verifier import KIND
from providers.storage.base import Store, StoreError

BESIDE = "sampelit_ops_before"
T = TypeVar("T")
CODES = {
    "edited": ("row_edited", "{total} row{s} of {chains} chain{c} edited"),
    "conversion": ("conversion_changed", "{total} conversion{s} changed after {they} set"),
    "rows_removed": ("rows_removed", "{total} row{s} removed from {chains} chain{c}"),
    "tail_cut": ("tail_cut", "{total} row{s} cut off the end of {chains} chain{c}"),
    "chain_removed": ("chain_removed", "{chains} whole chain{c} with {total} row{s} removed"),
    "unaudited": ("assignment_unaudited", "{total} assignment{s} without an audit row"),
}


@dataclass(frozen=True)
class Baseline:
    """The last good run of the same policy."""

    manifest: Manifest
    store: Store


def missing_from(earlier: Table, today: Table) -> list[Segment]:
    """The earlier segments whose bytes are not in today's run; all, when the columns or the format changed."""
    if earlier.columns != today.columns or earlier.format != today.format:
        return list(earlier.segments)
    known = {segment.raw_sha256 for segment in today.segments}
    return [segment for segment in earlier.segments if segment.raw_sha256 not in known]


def raw_bytes_to_load(manifest: Manifest, baseline: Baseline | None) -> int:
    """What the comparison adds to the drill's disk."""
    if baseline is None:
        return 0
    pairs = [(table, _today(manifest, table)) for table in _chained(baseline.manifest)]
    return sum(segment.raw_bytes for old, new in pairs if new for segment in missing_from(old, new))


def examine(loader: Loader, baseline: Baseline | None) -> Examined:
    """Compare and ask the product's own check. A comparison that cannot be made says why; it never fails the proof."""
    began = time.monotonic()
    done = Examined(baseline=baseline.manifest.run if baseline else "", verifier=_verifier(loader))
    try:
        for table in _chained(loader.manifest):
            done = replace(done, findings=(*done.findings, *_unaudited(loader, table)))
        for earlier in _chained(baseline.manifest) if baseline else ():
            done = _compare(loader, baseline, earlier, done) if baseline else done
    except psycopg.Error as error:
        done = replace(done, not_compared=postgres.explain(error, "The comparison with the last good run").message)
    except StoreError:
        raise  # an outage: the proof is tried again
    except ProviderError as error:
        done = replace(done, not_compared=error.message)
    return replace(done, milliseconds=int((time.monotonic() - began) * 1000))


def _chained(manifest: Manifest) -> list[Table]:
    return [table for table in manifest.tables if table.chains is not None]


def _today(manifest: Manifest, earlier: Table) -> Table | None:
    return next((table for table in _chained(manifest) if table.qualified == earlier.qualified), None)


def _compare(loader: Loader, baseline: Baseline, earlier: Table, done: Examined) -> Examined:
    today = _today(loader.manifest, earlier)
    if today is None:
        return replace(done, findings=(*done.findings, _gone(earlier)))
    segments = missing_from(earlier, today)
    if not segments:
        return done
    pair = _pair(loader, earlier, today)
    rows = _load(loader, baseline, earlier, segments, pair)
    loader.watch.log(f"{today.qualified}: {rows} rows of run {baseline.manifest.run} compared with today's.")
    found = attended(loader, lambda: tamper.find(loader.connection, pair, KEPT_ROWS))
    told = tuple(_finding(today.qualified, one) for one in found)
    return replace(done, rows_loaded=done.rows_loaded + rows, findings=(*done.findings, *told))


def _gone(earlier: Table) -> Finding:
    rows = earlier.rows
    summary = f"{earlier.qualified} held {rows} audit rows in the last good run; today it is gone or no audit trail."
    return Finding("table_gone", earlier.qualified, summary, rows, fingerprint("table_gone", earlier.qualified, rows))


def _pair(loader: Loader, earlier: Table, today: Table) -> tamper.Pair:
    """Which columns both have, under which types. CSV takes today's types; binary needs the earlier ones."""
    now = {column.name: column for column in today.columns}
    types = {
        c.name: (now[c.name].type if c.name in now else "text") if earlier.format == "csv" else c.type
        for c in earlier.columns
    }
    name = (BESIDE, today.name)
    tamper.stage_earlier(loader.connection, name, list(types.items()))
    key = postgres.primary_key(loader.connection, (today.schema, today.name))
    columns = tuple(
        tamper.Compared(c, now[c].type, types[c], tamper.exact(now[c].type, now[c].hashed_as))
        for c in types
        if c in now
    )
    usable = key if key and set(key) <= {column.name for column in columns} else list(tamper.PLACE)
    return tamper.Pair(name, (today.schema, today.name), tuple(usable), columns)


def _load(loader: Loader, baseline: Baseline, earlier: Table, segments: list[Segment], pair: tamper.Pair) -> int:
    """The earlier segments into the staging table, by a loader of the earlier run."""
    other = Loader(baseline.manifest, baseline.store, loader.connection, loader.identities, loader.watch)
    staged = replace(earlier, schema=pair.before[0], name=pair.before[1], segments=tuple(segments))
    other.load(staged)
    if other.problems:
        raise ProviderError(f"Run {baseline.manifest.run} could not be read back: " + " ".join(other.problems[:3]))
    return other.rows


def attended(loader: Loader, work: Callable[[], T]) -> T:
    """Run one long statement; a cancel or a lost lease stops it in the server."""
    with ThreadPoolExecutor(1) as worker:
        running = worker.submit(work)
        try:
            while wait([running], 1.0).not_done:
                loader.watch.check()
        except BaseException:
            loader.connection.cancel()
            raise
        return running.result()


def _unaudited(loader: Loader, audit: Table) -> list[Finding]:
    """Assignments of the same schema whose decision no audit row tells of."""
    named = [t for t in loader.manifest.tables if (t.schema, t.name) == (audit.schema, "assignments")]
    needed = {"id", "experiment_id", "user_id", "assigned_at"}
    if not named or not needed <= {c.name for c in named[0].columns}:
        return []
    if "assignment_id" not in {column.name for column in audit.columns}:
        return []
    names = (audit.schema, audit.name), (named[0].schema, named[0].name)
    taken_at = loader.manifest.source.taken_at
    found = attended(loader, lambda: tamper.unaudited(loader.connection, *names, taken_at, KEPT_ROWS))
    return [_finding(named[0].qualified, found)] if found else []


def _finding(subject: str, one: tamper.Found) -> Finding:
    code, words = CODES[one.kind]
    many = "s" if one.total != 1 else ""
    text = words.format(total=f"{one.total:,}", chains=f"{one.chains:,}", s=many, c="s" if one.chains != 1 else "",
                        they="they were" if many else "it was")  # fmt: skip
    return Finding(
        code, subject, f"{subject}: {text}.", one.total, fingerprint(code, subject, one.total, one.mark), one.rows
    )


def broken(subject: str, damage: postgres.Damage) -> Finding:
    """Rows whose hash, link or number does not follow, recomputed from their content."""
    words = {"hash": "content does not give its hash", "link": "does not link to the row before",
             "sequence": "number does not follow"}  # fmt: skip
    rows = tuple(
        {"id": f"{p.chain}/{p.sequence}", "chain": p.chain, "sequence": p.sequence, "problem": words[p.problem],
         "before": {}, "after": {}} for p in damage.problems[:KEPT_ROWS]
    )  # fmt: skip
    many = ("row", "breaks") if damage.total == 1 else ("rows", "break")
    text = f"{subject}: {damage.total:,} {many[0]} {many[1]} a hash chain when recomputed."
    return Finding("chain_broken", subject, text, damage.total, fingerprint("chain_broken", subject, damage.mark), rows)


def _verifier(loader: Loader) -> dict[str, object]:
    """What the product's own check says of today's rows; its definition came with the run."""
    tables = _chained(loader.manifest)
    defined = [s for s in loader.manifest.statements if s.kind == KIND and tables and s.table == tables[0].qualified]
    if not tables or not defined:
        return {"problem": "this run does not hold its definition"} if tables else {}
    table = (tables[0].schema, tables[0].name)
    said = attended(loader, lambda: postgres.ask_verifier(loader.connection, defined[0].sql, table))
    return {"chains": said.chains, "rows": said.rows, "invalid": said.invalid, "problem": said.problem}
