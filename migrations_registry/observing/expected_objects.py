"""What one file leaves behind in a catalogue, read from its syntax tree. Pure: bytes in, expectations out.

DO blocks, data and grants leave nothing that can be told from their text; they are counted as unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from migrations_registry.analysis.parsing.nodes import value
from migrations_registry.analysis.parsing.parser import Node, Raw, parse
from migrations_registry.analysis.scope import UNKNOWN, Scope, qualified


@dataclass(frozen=True)
class Expectation:
    """An object that exists, or (`present` False) does not; `facet` narrows it to a property with a `value`.

    That a `weak` one is there proves nothing by itself: the platform brings extensions and schemas of its own.
    """

    kind: str
    name: str
    present: bool = True
    facet: str = ""
    value: str = ""
    weak: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind, self.name, self.facet

    def __str__(self) -> str:
        """A body may hold secrets, and people who see the states need not see it."""
        of = "as the file has it" if self.facet == "body" else f"{self.facet} {self.value}".strip()
        text = f"{self.kind} {self.name} {of}".rstrip()
        return text if self.present else f"no {text}"


@dataclass(frozen=True)
class Expected:
    """`unseen` counts the statements of which the catalogue keeps no trace."""

    expectations: tuple[Expectation, ...]
    unseen: int


Reader = Callable[[Node], Iterator[Expectation]]
READERS: dict[str, Reader] = {}


def expected(data: bytes) -> Expected:
    """The last word of the file on each object it touches."""
    expectations: dict[tuple[str, str, str], Expectation] = {}
    unseen, scope = 0, Scope()
    for statement in parse(data):
        wanted = list(_lasting(statement, scope)) if isinstance(statement, Raw) else []
        unseen += not wanted
        for expectation in wanted:
            _forget_parts(expectations, expectation)
            expectations[expectation.key] = expectation
    return Expected(tuple(expectations.values()), unseen)


def _lasting(statement: Raw, scope: Scope) -> Iterator[Expectation]:
    """What it leaves behind for others; what is temporary goes with the session, and all that is said of it."""
    if statement.kind == "VariableSetStmt" and statement.node.get("name") == "search_path":
        scope.look_in([str(value(argument)) for argument in statement.node.get("args", [])])
    reader = READERS.get(statement.kind)
    for expectation in reader(qualified(statement.kind, statement.node, scope)) if reader else ():
        schema, _, name = expectation.name.rpartition(" on ")[2].partition(".")
        if schema.startswith(UNKNOWN):
            continue
        if schema != "pg_temp":
            yield expectation
        elif expectation.present:
            scope.temporary.setdefault(name.partition(".")[0], False)
        elif "." not in name:
            scope.temporary.pop(name, None)


def _forget_parts(expectations: dict[tuple[str, str, str], Expectation], gone: Expectation) -> None:
    """A table or column that goes takes along what was expected of its parts."""
    if gone.present or gone.facet:
        return
    for key in list(expectations):
        if key[1].startswith(f"{gone.name}.") or key[1].endswith(f" on {gone.name}"):
            del expectations[key]


def reads(*kinds: str) -> Callable[[Reader], Reader]:
    def enlist(reader: Reader) -> Reader:
        READERS.update(dict.fromkeys(kinds, reader))
        return reader

    return enlist
