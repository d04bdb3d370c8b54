"""A call is judged as what it runs: every body that its name may mean, or opaque where one may be that nobody sees.

In: a name as a statement writes it, how many arguments. Out: findings in `state`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrations_registry.analysis.calls.live_routines import aggregated, is_live, live_operators, live_routines
from migrations_registry.analysis.certainty import keep, so_far
from migrations_registry.analysis.dispatch import judge_node
from migrations_registry.analysis.model import CONVENTION, OPAQUE
from migrations_registry.analysis.nested_statements import MAX_DEPTH, UNREADABLE, body
from migrations_registry.analysis.parsing.arguments import Given
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.builtin_functions import (
    PLATFORM,
    is_harmless,
    is_harmless_operator,
    is_volatile,
    since,
    why_opaque,
)
from migrations_registry.analysis.routines import Routine
from migrations_registry.analysis.rule_registry import rule
from migrations_registry.analysis.state import State

FUNCTION_CALL = rule(
    "MX-FN-CALL",
    CONVENTION,
    "calls {name}, whose body stands in this file and is judged here",
    "Write the statements at the top level.",
    bad=("CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT x()",),
    good=("CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'",),
)
UNSEEN_CALL = rule(
    "MX-UNSEEN-CALL",
    OPAQUE,
    "{verb} {name}, {why}: it may do anything",
    "{instead}; else it needs the votes of something destructive.",
    bad=(
        "SELECT nobodys_function()",
        "CALL nobodys_procedure()",
        "DO $$ BEGIN PERFORM nobodys_function(); END $$",
        "SELECT ts_stat('SELECT 1')",
        "SELECT 1 OPERATOR(public.===) 1",
    ),
    good=("SELECT count(*) FROM orders", "SELECT now()", "SELECT 1 OPERATOR(pg_catalog.=) 1"),
)
WRITE_OUT, BY_HAND = "Create it in this file, or write out what it does", "Leave it out, or call it by hand"
ELSEWHERE = "whose body is not in this file"
OTHER_ARGUMENTS = "and no function of that name in this file takes these arguments"
NOWHERE = "which the catalog does not hold either"


def call(parts: Sequence[str], given: Given, state: State) -> None:
    """A function, a procedure or an aggregate, by its name."""
    for routine in candidates(parts, given, state):
        follow(routine, state)
    _aggregate(parts[-1], state)
    name = f"{'.'.join(parts)}()"
    if not _fits(parts, given, state):
        unseen(state, "calls", name, OTHER_ARGUMENTS)
    elif not _is_seen(parts, state):
        if why := why_opaque(parts):
            state.see(UNSEEN_CALL, verb="calls", name=name, why=f"which {why}", instead=BY_HAND)
        else:
            unseen(state, "calls", name)


def _aggregate(name: str, state: State) -> None:
    """The functions of all aggregates of this name, once: one of them may bear the name itself, or lead back to it."""
    if name in state.unfolding:
        return
    state.unfolding.append(name)
    try:
        for function in aggregated(name, state):
            call(function, None, state)
    finally:
        state.unfolding.pop()


def unseen(state: State, verb: str, name: str, why: str = "") -> None:
    """Opaque; what the file only attaches to something is so when that runs, where a catalogue could not tell now."""
    quiet = state.is_later and state.programs is None
    why = why or (NOWHERE if state.programs is not None else ELSEWHERE)
    state.see(UNSEEN_CALL, CONVENTION if quiet else OPAQUE, verb=verb, name=name, why=why, instead=WRITE_OUT)


def candidates(parts: Sequence[str], given: Given, state: State) -> Iterator[Routine]:
    """Every routine that may be meant: of the file, also created or renamed further down; of the catalog."""
    for known in {parts[-1], *state.other_names.get(parts[-1], ())}:
        own = state.routines.get(known, [])
        yield from (each for each in own if each.takes(given))
        for live in live_routines(known, state):
            answered = (
                live.unread and ".".join(live.name) in PLATFORM
            )  # the extension's own, whose name is one of these
            replaced = live.name in state.made_names and any(_is_same(live, each) for each in own)
            if (
                live.takes(given)
                and not (replaced or answered)
                and (len(parts) == 1 or known != parts[-1] or live.name[0] == parts[-2])
            ):
                yield live


def _is_same(one: Routine, other: Routine) -> bool:
    return (one.name, one.types) == (other.name, other.types)


def _fits(parts: Sequence[str], given: Given, state: State) -> bool:
    """What the file makes of this name may be meant; else one is that was there before, under the same name."""
    schemas = [parts[-2]] if len(parts) > 1 else state.scope.schemas
    own = [each for each in state.routines.get(parts[-1], []) if each.name[0] in schemas]
    fits = not own or any(each.takes(given) for each in own)
    return fits or is_live(parts, state) or is_harmless(parts)


def _is_seen(parts: Sequence[str], state: State) -> bool:
    """Whether nothing else can be meant than what was followed, or what only answers."""
    name = parts[-1]
    if any(old not in state.routines and not is_live([old], state) for old in state.other_names.get(name, ())):
        return False
    schemas = [parts[-2]] if len(parts) > 1 else state.scope.schemas
    if any((schema, name) in state.made_names for schema in schemas) or is_live(parts, state):
        return True
    shadowed = len(parts) == 1 and not state.scope.builtins_first
    foreign = len(parts) == 1 and state.scope.schemas[0] != "public" and is_volatile(name) is None
    return is_harmless(parts) and since(parts) <= state.pg_version and not shadowed and not foreign


def follow(routine: Routine, state: State) -> None:
    """Judge its body as if it stood here; its default arguments too."""
    if any(each is routine for each in state.following):
        return  # it calls itself; its body is being judged already
    if len(state.following) >= MAX_DEPTH:
        state.see(UNREADABLE, language="SQL", reason=f"more than {MAX_DEPTH} functions that call one another")
        return
    if routine.unread:
        unseen(state, "calls", routine.label, routine.unread)
        return
    state.see(FUNCTION_CALL, name=routine.label)
    state.following.append(routine)
    before = state.scope.path
    try:
        if routine.path is not None:
            state.scope.look_in(routine.path)
        _body(routine, state)
    finally:
        state.following.pop()
        if routine.path is not None:
            state.scope.path = before


def _body(routine: Routine, state: State) -> None:
    place = f"function {routine.label}"
    for default in routine.defaults:
        with state.inside(f"default of {routine.label}"):
            judge_node(_query(default), state)
    if not routine.atomic:
        body(routine.language, routine.body, routine.statement, place, state)
        return
    made = so_far(state)
    with state.inside(place):
        for item in routine.atomic:
            judge_node(item, state)
    keep(made, state)


def _query(expression: Node) -> Node:
    return {"SelectStmt": {"targetList": [{"ResTarget": {"val": expression}}]}}


def operate(parts: Sequence[str], state: State) -> None:
    """An operator, by its name; what those of the file run was judged where they are created."""
    made = any((schema, parts[-1]) in state.made_names for schema in [*parts[:-1], *state.scope.schemas])
    for function in live_operators(parts, state):
        made = True
        call(function, None, state)
    if not made and not is_harmless_operator(parts):
        unseen(state, "uses the operator", ".".join(parts), "whose function is not in this file")
