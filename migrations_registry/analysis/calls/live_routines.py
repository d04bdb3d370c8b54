"""Routines and operators of the live catalog, by the names that a file uses.

In: names, the facts in `state`. Out: Routine, as if the file had created it; functions by their names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from migrations_registry.analysis.facts import CatalogRoutine
from migrations_registry.analysis.parsing.nodes import strings
from migrations_registry.analysis.parsing.parser import ParseError, parse_snippet
from migrations_registry.analysis.routines import Routine, routine
from migrations_registry.analysis.state import State


def live_routines(name: str, state: State) -> list[Routine]:
    """All of this name, in any schema; not those that only answer."""
    found = state.programs.routines.get(name, ()) if state.programs else ()
    return [_routine(each, name) for each in found if each.text or each.unread]


def is_live(parts: Sequence[str], state: State) -> bool:
    """Whether the catalog holds one of this name."""
    found = state.programs.routines.get(parts[-1], ()) if state.programs else ()
    return any(len(parts) == 1 or each.schema == parts[-2] for each in found)


def aggregated(name: str, state: State) -> Iterator[tuple[str, ...]]:
    """The functions of an aggregate."""
    for each in state.programs.routines.get(name, ()) if state.programs else ():
        yield from map(function_name, each.runs)


def live_operators(parts: Sequence[str], state: State) -> Iterator[tuple[str, ...]]:
    """The functions behind an operator that PostgreSQL does not ship."""
    for each in state.programs.operators.get(parts[-1], ()) if state.programs else ():
        if len(parts) == 1 or each.schema == parts[-2]:
            yield from map(function_name, each.runs)


@lru_cache(maxsize=2000)
def function_name(text: str) -> tuple[str, ...]:
    """ "schema.name" without quotes."""
    call = parse_snippet(f"SELECT {text}()")[0].node["targetList"][0]["ResTarget"]["val"]["FuncCall"]
    return tuple(strings(call["funcname"]))


@lru_cache(maxsize=2000)
def _routine(found: CatalogRoutine, name: str) -> Routine:
    unread = found.unread
    try:
        node = parse_snippet(found.text)[0] if found.text else None
    except ParseError as error:
        node, unread = None, f"whose text cannot be read ({error})"
    if node is None:
        return Routine((found.schema, name), "", "", "", "volatile", unread=unread)
    return routine(node.node, found.text, found.schema)
