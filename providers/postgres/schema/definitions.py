"""What rebuilds a schema, one statement an object: an archive of pg_dump as it concerns the tables of a run.

In: the archive's entries, a session that sees the same snapshot, the run's tables. Out: SchemaObjects in the order in
which they are made: those before the rows, then those after, rights last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from psycopg import sql

from providers.postgres.connection import Connection
from providers.postgres.schema.archive import POST_DATA, PRE_DATA, Entry
from providers.postgres.schema.model import SchemaObject, Table, parted, qualified
from providers.postgres.schema.values import filled_views, sequence_values

LEFT_OUT = frozenset(["ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES"])
OF_THE_WHOLE = frozenset(
    ["EVENT TRIGGER", "PUBLICATION", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA", "SUBSCRIPTION"]
)
LAST = ["ACL", "DEFAULT ACL", "MATERIALIZED VIEW DATA", "EVENT TRIGGER", "COMMENT"]
RELATIONS = frozenset(["TABLE", "FOREIGN TABLE"])
NAMED_WITH_TABLE = frozenset(
    ["CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "TRIGGER", "POLICY", "RULE", "DEFAULT", "PUBLICATION TABLE"]
)
NEVER_OWNED = NAMED_WITH_TABLE | {"INDEX", "EVENT TRIGGER"}
KINDS = {"FK CONSTRAINT": "foreign_key", "CHECK CONSTRAINT": "check", "ACL": "grants", "DEFAULT ACL": "default_grants"}
CONSTRAINTS = (("PRIMARY KEY", "primary_key"), ("UNIQUE", "unique"), ("EXCLUDE", "exclusion"))
KEYS = frozenset(["primary_key", "unique", "exclusion", "foreign_key", "check"])


@dataclass(frozen=True)
class Archive:
    """`links`: (catalog, oid) → (relation, relation it leads to), by oid; `skipped` schemas are kept where needed."""

    entries: Sequence[Entry]
    links: dict[tuple[int, int], tuple[int, int]]
    tables: Sequence[Table]
    skipped: Collection[str]
    whole: bool

    @cached_property
    def by_number(self) -> dict[int, Entry]:
        return {entry.number: entry for entry in self.entries}

    @cached_property
    def relations(self) -> dict[int, Entry]:
        """Tables by oid."""
        return {entry.oid: entry for entry in self.entries if entry.kind in RELATIONS}

    @cached_property
    def inside(self) -> frozenset[str]:
        return frozenset(table.qualified for table in self.tables)

    @cached_property
    def needed(self) -> frozenset[int]:
        """What the run's tables cannot be made without, and the tables."""
        return self._closure(entry.number for entry in self.relations.values() if _qualified(entry) in self.inside)

    @cached_property
    def kept(self) -> frozenset[int]:
        """All but what belongs to the platform and nothing of ours stands on."""
        own = (entry.number for entry in self.entries if _place(entry) not in self.skipped)
        return self._closure(own) | self.needed

    @cached_property
    def owner(self) -> str:
        """Whom most objects belong to: a restore leaves these to whoever restores."""
        kept = (entry for entry in self.entries if entry.number in self.kept)
        owners = Counter(entry.owner for entry in kept if entry.owner and entry.drop)
        return owners.most_common(1)[0][0] if owners else ""

    def _closure(self, numbers: Iterable[int]) -> frozenset[int]:
        reached: set[int] = set()
        waiting = list(numbers)
        while waiting:
            number = waiting.pop()
            if number not in reached and number in self.by_number:
                reached.add(number)
                waiting += self.by_number[number].needs
        return frozenset(reached)

    def relation_of(self, entry: Entry) -> tuple[str, str]:
        """The table that an entry belongs to and the one it leads to, as schema.name; empty for none."""
        if entry.kind in RELATIONS:
            return _qualified(entry), ""
        own, other = self.links.get((entry.catalog, entry.oid), (0, 0))
        if own in self.relations:
            return self._named(own), self._named(other)
        if entry.catalog:
            return "", ""
        tables = [name for number in entry.needs if (name := self._table_behind(number))]
        return (tables or [""])[0], next((name for name in tables[1:] if entry.kind == "TABLE ATTACH"), "")

    def _table_behind(self, number: int) -> str:
        entry = self.by_number.get(number)
        return self.relation_of(entry)[0] if entry and entry.catalog else ""

    def _named(self, oid: int) -> str:
        return _qualified(self.relations[oid]) if oid in self.relations else ""


def _qualified(entry: Entry) -> str:
    return qualified(entry.schema, entry.tag)


def _place(entry: Entry) -> str:
    return entry.tag if entry.kind == "SCHEMA" else entry.schema


def definitions(connection: Connection, counting: Connection, archive: Archive) -> tuple[SchemaObject, ...]:
    """Every statement, sequences' values (as `counting` reads them now) and filled materialized views included."""
    made = [*_wanted(archive)]
    before: list[SchemaObject] = []
    after: list[SchemaObject] = []
    last: list[SchemaObject] = []
    for entry, section in made:
        objects = [_object(archive, entry, section), *_placed(archive, entry), *_owner(archive, entry, section)]
        place = last if _is_last(entry) else before if section == PRE_DATA else after
        place += objects
    values = sequence_values(counting, [item for item, _ in made])
    refreshed = filled_views(connection, [entry for entry, _ in made if entry.kind == "MATERIALIZED VIEW"])
    rank = {_kind(kind, ""): number for number, kind in enumerate(LAST)}
    last = sorted([*last, *refreshed], key=lambda item: rank.get(item.kind, 0))
    return (*before, *values, *after, *last)


def _is_last(entry: Entry) -> bool:
    """Of comments only those on event triggers, which are made last."""
    return entry.kind in LAST and (entry.kind != "COMMENT" or entry.tag.startswith("EVENT TRIGGER "))


def _wanted(archive: Archive) -> Iterator[tuple[Entry, int]]:
    """Entries with the section they are made in: what has none of its own follows the one before."""
    section = PRE_DATA
    for entry in archive.entries:
        section = entry.section if entry.section in (PRE_DATA, POST_DATA) else section
        of_database = entry.kind in ("COMMENT", "ACL", "SECURITY LABEL") and entry.tag.startswith(
            ("DATABASE ", "EXTENSION ")
        )
        if entry.kind in LEFT_OUT or of_database or not entry.sql.strip():
            continue
        if entry.number in archive.kept and (archive.whole or entry.kind not in OF_THE_WHOLE):
            yield entry, section


def _object(archive: Archive, entry: Entry, section: int) -> SchemaObject:
    table, leads_to = archive.relation_of(entry)
    kind = _kind(entry.kind, entry.sql)
    inside = table in archive.inside and (not leads_to or leads_to in archive.inside)
    before = section == PRE_DATA and not _is_last(entry)
    needed = entry.number in archive.needed if before else inside and kind in KEYS
    needed = needed or (kind == "table_attach" and inside)
    if entry.kind == "SCHEMA":
        needed = any(entry.tag == archive.by_number[number].schema for number in archive.needed)
    phase = "before" if before else "after"
    return SchemaObject(phase, kind, _name(entry, table), entry.sql.strip().rstrip(";"), needed, table, leads_to)


def _kind(kind: str, text: str) -> str:
    if kind == "CONSTRAINT":
        return next((name for words, name in CONSTRAINTS if f" {words}" in text), "constraint")
    return KINDS.get(kind, kind.lower().replace(" ", "_"))


def _name(entry: Entry, table: str) -> str:
    """As a person would say it; a default by its column."""
    short = entry.tag
    if entry.kind in NAMED_WITH_TABLE and table:
        short = short.removeprefix(parted(table)[1] + " ")
        return f"{table}.{short}" if entry.kind == "DEFAULT" else short
    return qualified(entry.schema, short) if entry.schema and entry.kind != "INDEX" else short


def _owner(archive: Archive, entry: Entry, section: int) -> list[SchemaObject]:
    """What belongs to somebody else goes back to them; pg_restore names an object by its DROP as well."""
    dropped = entry.drop.strip().rstrip(";")
    if entry.kind == "SCHEMA" and not dropped.startswith("DROP "):  # public, which every new database has
        dropped = sql.SQL("DROP SCHEMA {}").format(sql.Identifier(entry.tag)).as_string()
    if (
        _place(entry) in archive.skipped
        or entry.owner in ("", archive.owner)
        or not dropped.startswith("DROP ")
        or entry.kind in NEVER_OWNED
    ):
        return []
    query = sql.SQL("ALTER {} OWNER TO {}").format(sql.SQL(dropped.removeprefix("DROP ")), sql.Identifier(entry.owner))
    table, _ = archive.relation_of(entry)
    phase = "before" if section == PRE_DATA else "after"
    return [SchemaObject(phase, "owner", f"{_name(entry, table)} ({entry.owner})", query.as_string(), False, table)]


def _placed(archive: Archive, entry: Entry) -> Iterator[SchemaObject]:
    for kind, text in entry.placements:
        table, phase = archive.relation_of(entry)[0], "before" if entry.section == PRE_DATA else "after"
        yield SchemaObject(phase, kind, _name(entry, table), text, False, table)
