"""The table of contents of a pg_dump archive in custom format: every object with the statement that makes it. Pure.

In: the bytes that `pg_dump -Fc` wrote. Out: entries in the order in which pg_restore makes them. Layout: WriteHead,
WriteToc and _WriteExtraToc of PostgreSQL's pg_backup_archiver.c and pg_backup_custom.c, archive versions 1.14 to 1.16.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql as quoting

OLDEST, NEWEST = (1, 14), (1, 16)
CUSTOM = 1
PRE_DATA, DATA, POST_DATA = 2, 3, 4
PLACED = {"TABLE": "TABLE", "MATERIALIZED VIEW": "MATERIALIZED VIEW", "INDEX": "INDEX", "CONSTRAINT": "INDEX"}
NAME = r'(?:"(?:[^"]|"")++"|[^\s".;]++)'
DROPPED = re.compile(rf"ALTER TABLE (?:ONLY )?{NAME}\.{NAME} DROP CONSTRAINT ({NAME});")
USUAL = ("", "heap")


@dataclass(frozen=True)
class Entry:
    """`catalog` and `oid` name the object in the database it came from; `needs` are numbers of other entries."""

    number: int
    catalog: int
    oid: int
    tag: str
    kind: str
    section: int
    sql: str
    drop: str
    schema: str
    owner: str
    needs: tuple[int, ...]
    tablespace: str = ""
    access_method: str = ""

    @property
    def placements(self) -> Iterator[tuple[str, str]]:
        """Kind and statement of what pg_restore sets for its session instead, before it makes the object."""
        what = PLACED.get(self.kind)
        places = {"table_access_method": self.access_method * (what != "INDEX"), "tablespace": self.tablespace}
        for kind, name in places.items() if what else ():
            if name not in USUAL:
                own = quoting.Identifier(self.tag).as_string()
                if self.kind == "CONSTRAINT":  # whose tag names its table as well
                    own = match[1] if (match := DROPPED.fullmatch(self.drop.strip())) else own
                relation = f"{quoting.Identifier(self.schema).as_string()}.{own}"
                place = quoting.Identifier(name).as_string()
                yield (
                    kind,
                    f"ALTER {what} {relation} SET {kind.removeprefix('table_').replace('_', ' ').upper()} {place}",
                )


class NoArchive(ValueError):
    """The bytes are no archive of a version that is read here."""


class _Reader:
    """ReadInt and ReadStr: a sign byte and little-endian bytes; a length, -1 for NULL, and text."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place, self.int_size = data, 0, 4

    def raw(self, size: int) -> bytes:
        piece = self.data[self.place : self.place + size]
        if len(piece) != size or size < 0:
            raise NoArchive("the archive ends too early")
        self.place += size
        return piece

    def number(self) -> int:
        raw = self.raw(1 + self.int_size)
        value = int.from_bytes(raw[1:], "little")
        return -value if raw[0] else value

    def text(self) -> str | None:
        """Asked fifteen times for each object, so without a call."""
        start = self.place + 1 + self.int_size
        negative, end = self.data[self.place : self.place + 1] != b"\0", start
        if not negative:
            end += int.from_bytes(self.data[self.place + 1 : start], "little")
        if end > len(self.data):
            raise NoArchive("the archive ends too early")
        self.place = end
        return None if negative else self.data[start:end].decode()


def read_entries(data: bytes) -> list[Entry]:
    """Raises NoArchive."""
    reader = _Reader(data)
    version, offset_size = _head(reader)
    return [_entry(reader, version, offset_size) for _ in range(reader.number())]


def _head(reader: _Reader) -> tuple[tuple[int, int], int]:
    if reader.raw(5) != b"PGDMP":
        raise NoArchive("it is no archive of pg_dump")
    major, minor, _, reader.int_size, offset_size, form = reader.raw(6)
    version = (major, minor)
    if not OLDEST <= version <= NEWEST or form != CUSTOM:
        raise NoArchive(f"it is an archive of version {major}.{minor}, format {form}, which is not read here")
    if version >= (1, 15):
        reader.raw(1)  # the compression's name
    else:
        reader.number()  # its level
    for _ in range(7):
        reader.number()  # when it was made
    for _ in range(3):
        reader.text()  # database, versions of the server and of pg_dump
    return version, offset_size


def _entry(reader: _Reader, version: tuple[int, int], offset_size: int) -> Entry:
    number, _ = reader.number(), reader.number()
    catalog, oid = int(reader.text() or 0), int(reader.text() or 0)
    tag, kind, section = reader.text() or "", reader.text() or "", reader.number()
    sql, drop, _, schema = (reader.text() or "" for _ in range(4))
    tablespace, access_method = reader.text() or "", reader.text() or ""
    if version >= (1, 16):
        reader.number()  # relkind
    owner, _ = reader.text() or "", reader.text()
    needs = []
    while (other := reader.text()) is not None:
        needs.append(int(other))
    reader.raw(1 + offset_size)  # where its data lie
    told = tag, kind, section, sql, drop, schema, owner
    return Entry(number, catalog, oid, *told, tuple(needs), tablespace, access_method)
