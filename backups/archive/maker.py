"""One statement of a run made in a database, or why it was not. In: a manifest, a connection that may write.

Out: an object, or a Problem; `amber` and `lost` tell of what came otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import psycopg

from backups.archive.manifest import Manifest, Segment, Statement
from backups.progress import Tally, Watch, nothing
from providers.errors import ProviderError
from providers.postgres.connection import Connection, set_path
from providers.postgres.error_facts import Problem, is_of_the_server, problem_of
from providers.postgres.restore.held_checks import NOT_COMPUTED, HeldCheck
from providers.postgres.restore.without_code import without_code
from providers.postgres.schema.generations import COMPUTED
from providers.postgres.schema.model import parted
from providers.postgres.schema.surroundings import sorts_otherwise
from providers.storage.base import Store

EXISTING = {
    "schema": "SELECT FROM pg_namespace WHERE nspname = %s",
    "extension": "SELECT FROM pg_extension WHERE extname = %s",
}
RIGHTS = ("grants", "default_grants")
ONE = re.compile(r"""(?:[^;"']|"(?:[^"]|"")*+"|'(?:[^']|'')*+')++""")  # statement of a text
NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
QUOTED = re.compile(r""""(?:[^"]|"")*+"|'(?:[^']|'')*+'""")
DOMAIN = re.compile(rf"CREATE DOMAIN ({NAME}\.{NAME}) AS (.*)")  # to the end of the line
ROLE = re.compile(NAME)
POLICY = re.compile(
    rf"(CREATE POLICY {NAME} ON {NAME}(?:\.{NAME})?(?: AS RESTRICTIVE)?(?: FOR \w+)? TO )({NAME}(?:, {NAME})+)(.*)",
    re.S,
)
MAY_NOT = " Let the target's role create there (GRANT CREATE ON SCHEMA …), or name the owner in the variable."


def text_of(item: Statement) -> str:
    """A domain takes the default of the one it is made of; pg_dump writes nothing where it has none any more."""
    made = DOMAIN.match(item.sql) if item.kind == "domain" else None
    if not made or " DEFAULT " in QUOTED.sub("", made[2]):
        return item.sql
    return f"{item.sql};\nALTER DOMAIN {made[1]} DROP DEFAULT"


@dataclass
class Maker:
    """Makes what the manifest says; `problems` grows, nothing is raised, so that one report names them all.

    `beat_seconds` above 0: the session has an idle limit, so it is spoken to while an object is on its way.
    `denied`: what to say of a thing that the session's role may not make. `lenient`: what cannot be made here is no
    problem of the copy: `amber` says of which table what of it could not be rebuilt, and why. `apart`: no
    restore either, so rows stay in their own partition. `made`: needs no making. `before_batch`: told what comes.
    `not_valid`: schema, table and name of each CHECK that was put on again as such.
    """

    manifest: Manifest
    store: Store
    connection: Connection
    identities: Sequence[str]
    watch: Watch
    beat_seconds: float = 0
    denied: str = MAY_NOT
    lenient: bool = False
    apart: bool = False
    problems: list[str] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0
    again: list[Statement] = field(default_factory=list)
    held: list[HeldCheck] = field(default_factory=list)
    not_valid: list[tuple[str, str, str]] = field(default_factory=list)
    amber: dict[tuple[str, str], str] = field(default_factory=dict)
    lost: list[Statement] = field(default_factory=list)
    refused: dict[Segment, ProviderError] = field(default_factory=dict)
    stand_ins: list[str] = field(default_factory=list)
    looked_in: list[str] = field(default_factory=list)
    made: set[Statement] = field(default_factory=set)
    before_batch: Callable[[Sequence[Statement]], None] = nothing
    tally: Tally = field(init=False)

    def __post_init__(self) -> None:
        self.tally = Tally(self.manifest.raw_bytes, len(self.manifest.tables))

    @cached_property
    def schemas(self) -> list[str]:
        """Where the run's own functions may find what they name without a schema."""
        return ["public", *sorted({item.name for item in self.manifest.statements if item.kind == "schema"})]

    def run_without_code(self, item: Statement) -> Problem | None:
        """A table whose rows are all that comes of what its own code refuses to compute."""
        text, columns = without_code(item.sql) if item.kind == "table" else ("", [])
        problem = self.run(replace(item, sql=text or item.sql))
        for column in columns if not problem else ():
            self.amber[item.table, column] = f"{item.table}.{column}: {NOT_COMPUTED}."
            self.lose(COMPUTED, item.table)
        return problem

    def run(self, item: Statement) -> Problem | None:
        if (there := EXISTING.get(item.kind)) and self.connection.execute(there, [item.name]).rowcount:
            return None
        what = f"The {item.kind.replace('_', ' ')} {item.name}"
        problem = self.tried(what, item.table, lambda: self.connection.execute(text_of(item).encode()))
        if problem and self.lenient and item.kind == "collation":
            return self._stand_in(item, problem)
        if problem and (found := POLICY.fullmatch(item.sql)):
            self._for_those_there(what, item, *found.groups())
        return self._one_by_one(what, item) if problem and item.kind in RIGHTS else problem

    def _for_those_there(self, what: str, item: Statement, head: str, roles: str, rest: str) -> None:
        """What a policy says of several roles still counts for those that are there: without it they might do more."""
        there = {name for (name,) in self.connection.execute("SELECT pg_catalog.quote_ident(rolname) FROM pg_roles")}
        if kept := [role for role in ROLE.findall(roles) if role in there]:
            text = f"{head}{', '.join(kept)}{rest}"
            self.tried(what, item.table, lambda: self.connection.execute(text.encode()))

    def _one_by_one(self, what: str, item: Statement) -> Problem | None:
        """pg_dump takes rights from everybody and gives them to each in one text: a role that is not there takes none
        of the others'. The first that failed."""
        each = (text for text in ONE.findall(item.sql) if text.strip())
        tried = [self.tried(what, item.table, partial(self.connection.execute, text.encode())) for text in each]
        return next(filter(None, tried), None)

    def _stand_in(self, item: Statement, problem: Problem) -> Problem | None:
        """In a drill the order of bytes does for a collation that its server has not: only order is not checked."""
        name, _, _ = item.sql.partition(" (provider")
        failed = self.tried(item.name, "", lambda: self.connection.execute(f'{name} FROM "C"'.encode()))
        if not failed:
            self.stand_ins.append(f"{problem.text} Order and comparison of text that has it were not checked.")
        return problem if failed else None

    def tried(self, what: str, table: str, make: Callable[[], object]) -> Problem | None:
        try:
            self.look_in(self.path_of(table))
            with self.connection.transaction():
                make()
        except psycopg.Error as error:
            if is_of_the_server(error):
                raise  # it says nothing about the copy
            return problem_of(error, f"{what} could not be rebuilt", self.manifest.names, self.denied)
        return None

    def look_in(self, schemas: Sequence[str] = ()) -> None:
        """Functions that name no schema find what is in these; without any only the system's are looked in."""
        if list(schemas) != self.looked_in:
            self.looked_in = list(schemas)
            set_path(self.connection, schemas)

    def path_of(self, table: str) -> list[str]:
        return list(dict.fromkeys([parted(table)[0], *self.schemas])) if table else self.schemas

    def other_order(self) -> bool:
        return bool(self.stand_ins) or sorts_otherwise(self.connection, self.manifest.surroundings.order)

    def lose(self, kind: str, *tables: str) -> None:
        self.lost += [Statement("before", kind, table, "", False, table) for table in tables]
