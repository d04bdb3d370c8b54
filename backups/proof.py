"""The proof: read every object back, restore into a throwaway server, compare with what the snapshot held.

In: a manifest, a store, identities. Out: a Verdict (proven, suspect or failed) with every reason, and what it took.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from backups.drill import Loader
from backups.manifest import Manifest, Table
from backups.progress import SILENT, Watch
from backups.sealing import sealed
from backups.signing import Signer
from providers import postgres
from providers.embedded import EmbeddedPostgres, throwaway
from providers.errors import ProviderError
from providers.postgres.chains import describe
from providers.postgres.connection import Connection
from providers.storage import Store

DATABASE = "drill"
SHRUNK = 0.8
DISK_PER_RAW_BYTE, DISK_FLOOR = 2.5, 200_000_000
Server = Callable[[], AbstractContextManager[EmbeddedPostgres]]
Tamper = Callable[[Connection], None]


@dataclass(frozen=True)
class Verdict:
    """`problems` make it failed (the copy is not the snapshot), `doubts` suspect (it is, but look at the source)."""

    run: str
    manifest_sha256: str
    at: str
    problems: tuple[str, ...]
    doubts: tuple[str, ...]
    rows: int
    raw_bytes: int
    chains: int
    milliseconds: int
    server_version: str

    @property
    def status(self) -> str:
        return "failed" if self.problems else "suspect" if self.doubts else "proven"

    @property
    def reasons(self) -> list[str]:
        return [*self.problems, *self.doubts]


def prove(
    manifest: Manifest,
    store: Store,
    identities: Sequence[str] = (),
    watch: Watch = SILENT,
    previous: Manifest | None = None,
    server: Server = throwaway,
    between: Tamper | None = None,
) -> Verdict:
    """Restore and compare. Raises ProviderError only when the drill itself cannot run (then nothing is proven)."""
    began = time.monotonic()
    _refuse_without_room(manifest)
    with server() as running:
        running.create_database(DATABASE)
        connection = postgres.connect(running.dsn(DATABASE), read_only=False)
        loader = Loader(manifest, store, connection, identities, watch)
        try:
            doubts, chains = _restore_and_compare(loader, previous, between)
            version = str(connection.info.server_version)
        finally:
            connection.close()
    return Verdict(
        run=manifest.run,
        manifest_sha256=manifest.sha256,
        at=_now(),
        problems=tuple(loader.problems),
        doubts=tuple(doubts),
        rows=loader.rows,
        raw_bytes=loader.bytes,
        chains=chains,
        milliseconds=int((time.monotonic() - began) * 1000),
        server_version=version,
    )


def _refuse_without_room(manifest: Manifest) -> None:
    """A drill needs the rows, their indexes and some log on this machine's temporary disk."""
    needed = int(manifest.raw_bytes * DISK_PER_RAW_BYTE) + DISK_FLOOR
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < needed:
        raise ProviderError(
            f"The proof of run {manifest.run} needs {needed / 1e9:.1f} GB under {tempfile.gettempdir()}, "
            f"{free / 1e9:.1f} GB are free. Nothing was proven. Give the proving worker a larger disk, or set TMPDIR."
        )


def _restore_and_compare(loader: Loader, previous: Manifest | None, between: Tamper | None) -> tuple[list[str], int]:
    loader.build("before", everything=True)
    if loader.problems:
        return [], 0
    loads = {table.qualified: loader.load(table) for table in loader.manifest.tables}
    if between is not None:
        between(loader.connection)
    for table in loader.manifest.tables:
        loader.watch.check()
        loader.compare(table, loads[table.qualified])
        loader.watch.log(f"{table.qualified}: {table.rows} rows compared.")
    loader.build("after")
    doubts = _emptiness(loader.manifest) + _shrinkage(loader.manifest, previous)
    chains = 0
    for table in loader.manifest.tables:
        if table.chains is not None:
            doubts += _chains(loader, table) + _not_kept(loader, table, previous)
            chains += len(table.chains)
    return doubts, chains


def _chains(loader: Loader, table: Table) -> list[str]:
    """Heads must be the snapshot's (else the copy is wrong); every hash is recomputed (else the source is)."""
    key = (table.schema, table.name)
    found = {(h.chain, h.rows, h.first, h.last, h.head) for h in postgres.chain_heads(loader.connection, key)}
    wanted = {(h.chain, h.rows, h.first, h.last, h.head) for h in table.chains or ()}
    loader.problems += [f"Chain {head[0]} differs from the snapshot's head." for head in sorted(wanted ^ found)[:10]]
    broken = describe(postgres.chain_problems(loader.connection, key))
    loader.watch.log(f"{table.qualified}: {len(wanted)} hash chains recomputed.")
    return broken


def _not_kept(loader: Loader, table: Table, previous: Manifest | None) -> list[str]:
    """Every chain of the last proven run must be the beginning of today's: rows are only ever added."""
    earlier = next((t for t in previous.tables if t.qualified == table.qualified), None) if previous else None
    if earlier is None or not earlier.chains:
        return []
    heads = [postgres.ChainHead(h.chain, h.rows, h.first, h.last, h.head) for h in earlier.chains]
    return postgres.chains_not_kept(loader.connection, (table.schema, table.name), heads)[:50]


def _emptiness(manifest: Manifest) -> list[str]:
    return [
        f"{table.qualified} is empty, although the policy names it. Check that the role sees its rows, and the DSN."
        for table in manifest.tables
        if table.named and table.rows == 0
    ]


def _shrinkage(manifest: Manifest, previous: Manifest | None) -> list[str]:
    if previous is None:
        return []
    before = {table.qualified: table.rows for table in previous.tables}
    return [
        f"{table.qualified} has {table.rows} rows, the last proven run had {before[table.qualified]}. "
        "Find out who removed them."
        for table in manifest.tables
        if table.rows < before.get(table.qualified, 0) * SHRUNK
    ]


def rejected(run: str, manifest_sha256: str, problem: str) -> Verdict:
    """The verdict on a run whose manifest cannot be trusted: nothing was restored from it."""
    return Verdict(run, manifest_sha256, _now(), (problem,), (), 0, 0, 0, 0, "")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def store_proof(store: Store, verdict: Verdict, signer: Signer | None) -> str:
    """Write the verdict beside the run, so that it can be seen without the portal; answers its key."""
    return store_document(store, as_document(verdict), signer)


def store_document(store: Store, document: dict[str, Any], signer: Signer | None) -> str:
    """The same for a verdict that was written down before; a second call finds the object and changes nothing."""
    at = str(document["at"]).translate(str.maketrans("", "", ":-."))
    key = f"runs/{document['run']}/proof-{at}.json"
    store.put_once(key, sealed(document, signer))
    return key


def as_document(verdict: Verdict) -> dict[str, Any]:
    lists = {"problems": list(verdict.problems), "doubts": list(verdict.doubts)}
    return {**asdict(verdict), **lists, "status": verdict.status}
