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
    state.made_types = {name: number for name, number in state.made_types.items() if number != state.transaction}
    if state.scope.schemas[0] != "public":
        state.scope.look_in(None)


def renamed(old: tuple[Name, str], new: tuple[Name, str], state: State) -> None:
    """What is known of a column, or of all of a table (""), goes by its new name; what was of that name, is gone."""

    def key(known: tuple[Name, str]) -> tuple[Name, str] | None:
        if known == old or (known[0], "") == old:
            return new[0], new[1] or known[1]
        return None if known == new or (known[0], "") == new else known

    state.created_columns = {name for known in state.created_columns if (name := key(known))}
    state.required_columns = {name for known in state.required_columns if (name := key(known))}
    state.proven_not_null = {name for known in state.proven_not_null if (name := key(known))}
    state.column_types = {name: kind for known, kind in state.column_types.items() if (name := key(known))}
    state.retyped = {name: kind for known, kind in state.retyped.items() if (name := key(known))}
