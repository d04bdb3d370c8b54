"""What a live database can tell the rules: sizes, types, checks, indexes, long transactions. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from migrations_registry.analysis.model import Name

SMALL_BYTES = 8 * 1024 * 1024  # a fifth of a second's work (cost.py)


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """A column's type as `format_type` prints it, whether it is NOT NULL, and a collation that is not its type's."""

    type: str
    not_null: bool = False
    collation: str = ""


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table's estimated rows, its bytes with indexes, its columns, and what is already proved about them."""

    rows: int
    bytes: int
    columns: Mapping[str, ColumnFacts] = field(default_factory=dict)
    not_null_checks: Mapping[str, tuple[str, bool]] = field(default_factory=dict)  # CHECK (c IS NOT NULL) → c, valid
    indexes: Mapping[str, bool] = field(default_factory=dict)  # name → valid
    index_columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unique: frozenset[str] = frozenset()  # names of indexes
    indexed: frozenset[str] = frozenset()  # leading columns of full, valid indexes
    oldest_transaction_seconds: int = 0
    remade: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # column → what another type of it makes again
    references: Mapping[str, tuple[Name, tuple[str, ...]]] = field(default_factory=dict)  # key → parent, own columns
    partition_key: tuple[str, ...] = ()
    default_partition: Name | None = None

    @property
    def checked_not_null(self) -> set[str]:
        """Columns with a valid CHECK (column IS NOT NULL)."""
        return {column for column, valid in self.not_null_checks.values() if valid}


@dataclass(frozen=True, slots=True)
class CatalogRoutine:
    """`text`: its CREATE FUNCTION, where it can be read; else `unread` says why not, or it only answers.

    `runs`: the functions of an aggregate, as SQL writes them.
    """

    schema: str
    text: str = ""
    unread: str = ""
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hook:
    """What a relation runs when one of `events` happens to it (calls/events.py); `text`: SQL that runs the same."""

    events: frozenset[str]
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Programs:
    """All that the database runs by itself. Names of routines and operators are bare."""

    routines: Mapping[str, tuple[CatalogRoutine, ...]] = field(default_factory=dict)
    hooks: Mapping[Name, tuple[Hook, ...]] = field(default_factory=dict)
    operators: Mapping[str, tuple[CatalogRoutine, ...]] = field(default_factory=dict)
    with_rows: tuple[str, ...] = ()
    with_ddl: tuple[str, ...] = ()
    relatives: Mapping[Name, tuple[Name, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CatalogFacts:
    """One snapshot of a target. A table that is not in it does not exist there."""

    tables: Mapping[Name, TableFacts]
    domains: frozenset[Name] = frozenset()  # those with a constraint
    timezone: str = ""
    is_supabase: bool = False
    server_version: int = 17
    programs: Programs | None = None

    def is_small(self, name: Name) -> bool:
        """A table by itself, without heirs or partitions, all of which is written in the time of a brief lock."""
        table = self.tables.get(name)
        is_alone = self.programs is not None and name not in self.programs.relatives
        return is_alone and table is not None and 0 < table.bytes <= SMALL_BYTES
