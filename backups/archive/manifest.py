"""The manifest of a run: what was copied, from where, with every digest. Written last; without it no run exists.

Values only; `signed_json` turns them into a signed document and back. Imports neither Django nor providers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from backups.archive.signatures import canonical, sha256
from backups.archive.source import Source, Surroundings, plain, qualified
from backups.policy_spec import run_name

FORMAT = "sampelit-ops-run/2"
OLD_FORMAT = "sampelit-ops-run/1"  # its statements were written by the portal, and lie in the manifest alone
SINCE_2 = ("objects", "surroundings", "not_covered")


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    hashed_as: str


@dataclass(frozen=True)
class Segment:
    """One stored object: rows of one ctid range. Raw is the COPY stream, stored is what lies in the store."""

    key: str
    start: str
    end: str
    rows: int
    digest: str
    raw_bytes: int
    raw_sha256: str
    stored_bytes: int
    stored_sha256: str
    encrypted: bool

    @property
    def format(self) -> str:
        """How its rows were copied: binary also in a CSV table, where one is longer than the server prints."""
        return "csv" if self.key.removesuffix(".age").endswith(".csv.zst") else "binary"


@dataclass(frozen=True)
class Head:
    chain: str
    rows: int
    first: int
    last: int
    head: str


@dataclass(frozen=True)
class Table:
    """`chains` is None for tables that carry no hash chain; `named` tables were asked for by name."""

    schema: str
    name: str
    format: str
    named: bool
    columns: tuple[Column, ...]
    segments: tuple[Segment, ...]
    chains: tuple[Head, ...] | None = None

    @property
    def qualified(self) -> str:
        return qualified(self.schema, self.name)

    @property
    def formats(self) -> set[str]:
        """Those of its segments, and the one that was asked for."""
        return {self.format, *(segment.format for segment in self.segments)}

    @property
    def rows(self) -> int:
        return sum(segment.rows for segment in self.segments)

    @property
    def digest(self) -> str:
        return str(sum(int(segment.digest) for segment in self.segments))

    @property
    def raw_bytes(self) -> int:
        return sum(segment.raw_bytes for segment in self.segments)

    @property
    def stored_bytes(self) -> int:
        return sum(segment.stored_bytes for segment in self.segments)


@dataclass(frozen=True)
class Statement:
    phase: str
    kind: str
    name: str
    sql: str
    needed: bool
    table: str = ""
    references: str = ""


@dataclass(frozen=True)
class Manifest:
    """`objects`: pg_dump's archive of the schema, the same as a script, its fingerprint; `not_covered`: sentences."""

    run: str
    fence: int
    environment: str
    policy: str
    source: Source
    tables: tuple[Table, ...]
    statements: tuple[Statement, ...]
    recipients: tuple[str, ...] = ()
    tool: str = ""
    ledger_entries: int = 0
    ledger_head: str = ""
    previous_sha256: str = ""
    objects: tuple[Segment, ...] = ()
    surroundings: Surroundings = field(default_factory=Surroundings)
    not_covered: tuple[str, ...] = ()
    format: str = field(default=FORMAT)

    @property
    def name(self) -> str:
        return run_name(self.policy, datetime.fromisoformat(self.source.taken_at), self.environment)

    @property
    def prefix(self) -> str:
        return f"runs/{self.run}/{self.fence}/"

    @property
    def segments(self) -> list[Segment]:
        """Every object of the run with its digest: the schema's, then the rows'."""
        return [*self.objects, *(segment for table in self.tables for segment in table.segments)]

    def object(self, name: str) -> Segment | None:
        """The schema's object of that name; None in a run of the old format."""
        return next((item for item in self.objects if item.key.startswith(f"{self.prefix}{name}.")), None)

    @property
    def large_objects(self) -> list[Segment]:
        """Their pages, in the order in which they are made."""
        return [item for item in self.objects if item.key.startswith(f"{self.prefix}large-objects-")]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def raw_bytes(self) -> int:
        return sum(table.raw_bytes for table in self.tables)

    @property
    def stored_bytes(self) -> int:
        return sum(table.stored_bytes for table in self.tables)

    @property
    def longest_row(self) -> int:
        """At least so many bytes: of the segment whose rows are the longest on the average."""
        rows = [segment for table in self.tables for segment in table.segments if segment.rows]
        return max((segment.raw_bytes // segment.rows for segment in rows), default=0)

    @cached_property
    def names(self) -> frozenset[str]:
        """Those that an error may repeat: the run's own."""
        tables = {name for table in self.tables for name in (table.name, *(c.name for c in table.columns))}
        return frozenset(tables | {statement.name for statement in self.statements})

    @cached_property
    def sha256(self) -> str:
        """Asked nine times for an export and its proof; each time walks every segment."""
        return sha256(canonical(self.body))

    @property
    def body(self) -> dict[str, Any]:
        """What is signed."""
        values = plain(self)
        return {name: values[name] for name in values if self.format != OLD_FORMAT or name not in SINCE_2}

    @property
    def audit_tables(self) -> list[Table]:
        """Those with hash chains."""
        return [table for table in self.tables if table.chains is not None]

    def table(self, qualified: str) -> Table:
        return self._by_name[qualified]

    @cached_property
    def _by_name(self) -> dict[str, Table]:
        return {table.qualified: table for table in self.tables}


def manifest_key(run: str) -> str:
    return f"runs/{run}/manifest.json"
