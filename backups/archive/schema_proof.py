"""The schema of a run against the database it was loaded into: the archive whole, the fingerprint the same.

In: a Loader that built the run. Out: problems of the archive, differences of the fingerprint. Runs of the old format
have neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from backups.archive.loader import Loader
from backups.archive.manifest import Segment, Statement, Table
from backups.archive.reader import read_again
from backups.archive.segment_codec import LOOK_SECONDS, Ahead, Damaged, unpack
from providers import bounded_json, postgres
from providers.errors import ProviderError
from providers.memory import unswept
from providers.postgres.copy.row_digests import Evidence, evidence_of_computed
from providers.postgres.restore.computed_again import ByCode, compute_again, computed_by_code
from providers.postgres.schema.archive import Entry, NoArchive, read_entries
from providers.postgres.schema.comparison import OTHERWISE, Difference, Sides, differences
from providers.postgres.schema.consequences import Lost
from providers.postgres.schema.generations import COMPUTED, Row, comparable
from providers.postgres.schema.model import Column, Name
from providers.postgres.schema.objects import objects_in_transaction
from providers.storage.base import Missing

# What pg_dump does not write is one statement that begins so.
DERIVED = {
    "owner": ("ALTER ",),
    "sequence_value": ("SELECT pg_catalog.setval(",),
    "materialized_view_data": ("REFRESH MATERIALIZED VIEW ",),
    "large_object": ("GRANT ", "COMMENT ON LARGE OBJECT ", "ALTER LARGE OBJECT "),
    "verifier": ("CREATE OR REPLACE FUNCTION ",),
}
QUOTED = re.compile(r""""(?:[^"]|"")*+"|'(?:[^']|'')*+'""")


@unswept()
def archive_problems(loader: Loader) -> list[str]:
    """The objects read back, and every statement of the manifest found in pg_dump's archive."""
    item = loader.manifest.object("schema.dump")
    if item is None:
        return []
    if problems := [text for other in loader.manifest.objects if (text := _unreadable(loader, other))]:
        return problems
    try:
        entries = entries_of(loader)
        said = {entry.sql.strip().rstrip(";") for entry in entries}
        said |= {text for entry in entries for _, text in entry.placements}
    except NoArchive as error:
        return [f"{item.key} is not what pg_dump writes: {error}."]
    strange = [s for s in loader.manifest.statements if not _is_ours(s, said)]
    return [f"The {s.kind.replace('_', ' ')} {s.name} of the manifest is not what pg_dump wrote." for s in strange[:10]]


def _is_ours(statement: Statement, said: set[str]) -> bool:
    if statement.kind not in DERIVED:
        return statement.sql in said
    alone = statement.kind == "verifier" or ";" not in QUOTED.sub("", statement.sql)
    return alone and statement.sql.startswith(DERIVED[statement.kind])


@unswept()
def compare(loader: Loader, here: str, *, skipped: Sequence[str] = (), drilled: bool = True) -> list[Difference]:
    """`here` made the objects, `skipped` schemas are ours. Raises psycopg.Error.

    A database that is not `drilled` may hold more; what its major version prints otherwise is told like all else.
    """
    rows = fingerprint_of(loader)
    if not rows:
        return []
    if not loader.manifest.large_objects:  # a run of named tables holds none
        rows = [row for row in rows if not row[1].startswith("large object ")]
    major = loader.manifest.source.server_version.partition(".")[0]
    sides = Sides(
        owner=loader.manifest.surroundings.owner,
        here=here,
        skipped=frozenset([*postgres.PLATFORM_SCHEMAS, *skipped]),
        lost=[Lost(item.kind, item.name, item.table) for item in loader.lost],
        whole=drilled,
        other_major=major != str(loader.connection.info.server_version // 10000),
    )
    found: list[Row] = [(row.kind, row.name, row.of, row.sql) for row in objects_in_transaction(loader.connection)]
    return [*differences(*comparable(rows, found), sides), *_computed(loader, rows)]


def recompute(loader: Loader) -> set[str]:
    """What code computes from tables whose rows came later, once more: before keys and triggers, where it comes out as
    it was at the source. Answers the tables whose rows were written anew. Raises psycopg.Error."""
    by_code, anew = computed_by_code(loader.connection), set[str]()
    rows = fingerprint_of(loader) if by_code else []
    while again := {found[0].qualified for found in _otherwise(loader, rows) if _again(loader, by_code, *found)}:
        anew |= again  # another may read what these compute
    loader.look_in()
    return anew


def _again(
    loader: Loader, by_code: dict[Name, ByCode], table: Table, columns: Sequence[Column], wanted: Evidence
) -> bool:
    key = (table.schema, table.name)
    loader.look_in(loader.path_of(table.qualified))
    return key in by_code and compute_again(loader.connection, key, columns, by_code[key], wanted)


def _computed(loader: Loader, rows: Sequence[Row]) -> Iterator[Difference]:
    for table, _, _ in _otherwise(loader, rows):
        yield Difference(COMPUTED, table.qualified, "differ", OTHERWISE)


def _otherwise(loader: Loader, rows: Sequence[Row]) -> Iterator[tuple[Table, list[Column], Evidence]]:
    """Columns that the server computes are in no copy: where what they hold here is not what the source's held."""
    tables = {table.qualified: table for table in loader.present() if table.rows}
    lost = {item.table for item in loader.lost if item.kind == COMPUTED}
    for _, name, _, text in (row for row in rows if row[0] == COMPUTED and row[1] in tables.keys() - lost):
        said, table = bounded_json.loads(text.encode()), tables[name]
        columns = [Column(column, "", hashed_as=how) for column, how in said["columns"].items()]
        wanted = Evidence(table.rows, said["digest"])
        found = evidence_of_computed(loader.connection, (table.schema, table.name), columns)
        if columns and found.digest != wanted.digest:
            yield table, columns, wanted


def entries_of(loader: Loader) -> list[Entry]:
    """Of pg_dump's archive; none in a run of the old format. Raises NoArchive."""
    item = loader.manifest.object("schema.dump")
    return read_entries(_opened(loader, item)) if item else []


def fingerprint_of(loader: Loader) -> list[Row]:
    """Every object of the catalogue as the run's snapshot had it; empty in a run of the old format."""
    item = loader.manifest.object("fingerprint")
    try:
        return list(bounded_json.loads(_opened(loader, item))) if item else []
    except Damaged as error:  # it was whole when the proof began
        raise ProviderError(f"{error}. The comparison did not happen; nothing was proven. Try again.", True) from None


def _unreadable(loader: Loader, item: Segment) -> str:
    try:
        _opened(loader, item)
    except Missing:
        return f"{item.key} is missing from the store."
    except Damaged as error:
        return f"{error}."
    return ""


def _opened(loader: Loader, item: Segment) -> bytes:
    try:
        return b"".join(unpack(fetched(loader, item.key), item, loader.identities))
    except Damaged:  # a bad line is no bad object
        return b"".join(unpack(fetched(loader, item.key), item, loader.identities))


def fetched(loader: Loader, key: str) -> bytes:
    """One whole object, with a beat meanwhile."""
    with Ahead([lambda: iter([read_again(loader.store, key)])]) as reading:
        reading.wait(loader.beat_seconds or LOOK_SECONDS, loader.alive)
        return b"".join(reading.blocks())
