"""The schema of a run: what pg_dump says in the run's snapshot, as objects in the store and as statements.

In: sessions that see the snapshot, the tables of the run. Out: a Schema; its objects are stored, encrypted as rows are.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from backups.archive.manifest import Segment, Statement
from backups.archive.segment_codec import pack
from backups.archive.source import Surroundings
from backups.progress import Watch
from providers import postgres
from providers.counting import counted
from providers.embedded_postgres import pg_dump
from providers.embedded_postgres.choice import fitting
from providers.memory import unswept
from providers.postgres.audit_trail.verifier import read_verifier
from providers.postgres.connection import Connection
from providers.postgres.copy.row_digests import computed
from providers.postgres.schema import archive, definitions, surroundings, values
from providers.postgres.schema.generations import COMPUTED
from providers.postgres.schema.model import SchemaObject, Table
from providers.postgres.schema.objects import objects_in_transaction
from providers.storage.base import Store

BLOCK_BYTES = 1 << 20
STRINGS = "standard_conforming_strings"
ARCHIVE, SCRIPT, FINGERPRINT = "schema.dump", "schema.sql", "fingerprint"


@dataclass(frozen=True)
class Place:
    """Where a run's objects go."""

    store: Store
    prefix: str
    recipients: tuple[str, ...]


@dataclass(frozen=True)
class Schema:
    statements: tuple[Statement, ...]
    objects: tuple[Segment, ...]
    surroundings: Surroundings
    not_covered: tuple[str, ...]


@unswept()
def copy_schema(
    leader: Connection, dsn: str, snapshot: str, tables: Sequence[Table], whole: bool, place: Place, watch: Watch
) -> Schema:
    """`whole`: the run is of whole schemas, not of named tables. Raises ProviderError and Refused."""
    hidden = surroundings.unreadable_tables(leader)
    major, strings = fitting(leader.info.server_version // 10000), leader.info.parameter_status(STRINGS)
    with ThreadPoolExecutor(1, thread_name_prefix="fingerprint") as beside:
        looked = beside.submit(objects_in_transaction, leader)
        dumped = pg_dump.dump_schema(dsn, snapshot, hidden, watch.check, major, strings)
        objects = looked.result()
    described = archive.read_entries(dumped)
    known = definitions.Archive(described, values.links(leader), tables, postgres.PLATFORM_SCHEMAS, whole)
    with postgres.connect(dsn) as counting:  # sequences are outside every snapshot, and their locks outside ours
        made = definitions.definitions(leader, counting, known)
    rows = [[item.kind, item.name, item.of, item.sql] for item in objects]
    rows += [_computed(leader, table) for table in tables if _computes(table)]
    fingerprint = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()
    pieces = {ARCHIVE: dumped, SCRIPT: pg_dump.as_script(dumped, major), FINGERPRINT: fingerprint}
    kept = tuple(stored(place, name, _in_blocks(data)) for name, data in pieces.items())
    watch.log(f"The schema: {counted(len(made), 'statement')}, by pg_dump.")
    return Schema(
        statements=tuple(Statement(**vars(item)) for item in (*made, *_verifiers(leader, tables))),
        objects=kept,
        surroundings=Surroundings(**asdict(surroundings.read_surroundings(leader)), owner=known.owner),
        not_covered=(*_not_covered(leader, hidden), *(t.unplanned for t in tables if t.unplanned and t.kind == "r")),
    )


def _computes(table: Table) -> bool:
    return not table.unplanned and any(column.generated for column in table.columns)


def _computed(leader: Connection, table: Table) -> list[str]:
    columns, found = computed(leader, table.key, table.columns)
    said = {"columns": {column.name: column.hashed_as for column in columns}, "digest": found.digest}
    return [COMPUTED, table.qualified, table.qualified, json.dumps(said)]


def _verifiers(leader: Connection, tables: Sequence[Table]) -> list[SchemaObject]:
    chained = [table for table in tables if postgres.has_chain(table)]
    return [item for table in chained for item in read_verifier(leader, [table.schema], table.qualified)]


def _not_covered(leader: Connection, hidden: Sequence[tuple[str, str]]) -> list[str]:
    """What the database holds and no run of it does, so that nobody finds out at a restore."""
    texts = []
    ours = sorted(f"{schema}.{name}" for schema, name in hidden if schema not in postgres.PLATFORM_SCHEMAS)
    if ours:
        texts.append(f"Tables that the role may not read, their definitions included: {', '.join(ours[:20])}.")
    if commented := surroundings.commented_extensions(leader):
        texts.append(f"Comments on extensions that are not their own: {', '.join(commented)}.")
    return texts


def _in_blocks(data: bytes) -> Iterator[bytes]:
    return (data[start : start + BLOCK_BYTES] for start in range(0, len(data), BLOCK_BYTES))


def stored(place: Place, name: str, blocks: Iterable[bytes | memoryview], digest: str = "0") -> Segment:
    """Put one object of the run beside the rows; it has no rows of a table."""
    packed = pack(blocks, place.recipients, sys.maxsize)
    key = f"{place.prefix}{name}.zst{'.age' if place.recipients else ''}"
    stored = place.store.put_once(key, packed.data)
    return Segment(
        key=key,
        start="",
        end="",
        rows=0,
        digest=digest,
        raw_bytes=packed.raw_bytes,
        raw_sha256=packed.raw_sha256,
        stored_bytes=len(packed.data),
        stored_sha256=stored.sha256,
        encrypted=bool(place.recipients),
    )
