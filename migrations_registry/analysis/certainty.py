"""What a file did for certain: not in a branch that may not be taken, not in what is rolled back.

In: the state before and after. Out: the state, without what nobody knows.
"""

from __future__ import annotations

from dataclasses import dataclass

from migrations_registry.analysis.model import Name
from migrations_registry.analysis.state import State


@dataclass(frozen=True, slots=True)
class Made:
    """What had certainly been made or proved at one point."""

    created: dict[Name, int]
    temporary: dict[str, bool]
    names: frozenset[Name] = frozenset()
    columns: frozenset[tuple[Name, str]] = frozenset()
    not_null: frozenset[tuple[Name, str]] = frozenset()
    checks: frozenset[tuple[Name, str]] = frozenset()


def so_far(state: State) -> Made:
    """For `keep`, after a branch that may not have been taken."""
    return Made(
        dict(state.created),
        dict(state.scope.temporary),
        frozenset(state.made_names),
        frozenset(state.created_columns),
        frozenset(state.proven_not_null),
        frozenset(state.valid_checks),
    )


def keep(before: Made, state: State) -> None:
    """Of what was made since, nobody knows whether it was."""
    state.perhaps_created.update(state.created.keys() - before.created.keys())
    state.created = {name: number for name, number in state.created.items() if name in before.created}
    temporary = state.scope.temporary
    state.scope.temporary = {name: drops for name, drops in temporary.items() if name in before.temporary}
    state.made_names &= before.names
    state.created_columns &= before.columns
    state.proven_not_null &= before.not_null
    state.valid_checks &= before.checks


def rolled_back(state: State) -> None:
    """What the open transaction made may be gone, and the search path what it was."""
    kept = {name: number for name, number in state.created.items() if number != state.transaction}
    keep(Made(kept, {name[1]: False for name in kept if name[0] == "pg_temp"}), state)
    if state.scope.schemas[0] != "public":
        state.scope.look_in(None)
