"""What the database runs by itself because of a statement: triggers, defaults, checks, views, casts, event triggers.

In: a statement, the facts in `state`. Out: findings, as if it stood here; each harmless hook is judged once.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrations_registry.analysis.calls.attached import attached
from migrations_registry.analysis.calls.evaluate import evaluate
from migrations_registry.analysis.calls.events import happening
from migrations_registry.analysis.calls.follow import call, unseen
from migrations_registry.analysis.dispatch import judge, judge_node
from migrations_registry.analysis.facts import Hook
from migrations_registry.analysis.model import DATA, DESTRUCTIVE, OPAQUE, SECURITY, Name, label
from migrations_registry.analysis.parsing.parser import Node, ParseError, Raw, parse_snippet
from migrations_registry.analysis.state import State

_KEPT = {DESTRUCTIVE, OPAQUE, SECURITY, DATA}
_ROWS = {"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CopyStmt", "AlterTableStmt", "IndexStmt"}
_NO_DDL = """Select Insert Update Delete Merge Copy Call Do Explain Prepare Execute Deallocate DeclareCursor Fetch
ClosePortal Transaction VariableSet VariableShow Notify Listen Unlisten Vacuum CheckPoint Discard Lock ConstraintsSet
Load Truncate"""
_NOT_DDL = {f"{kind}Stmt" for kind in _NO_DDL.split()}


def set_off(kind: str, node: Node, state: State) -> None:
    """All of it; `state.programs` is there."""
    programs = state.programs
    assert programs is not None  # noqa: S101 - asked for by the caller
    for name, events in happening(kind, node):
        for each in family(name, state):
            for hook in programs.hooks.get(each, ()):
                if hook.events & events:
                    _run(hook, f"{hook.what} of {label(each)}", state)
    for functions, when, what in (
        (programs.with_rows, kind in _ROWS, "cast"),
        (programs.with_ddl, kind not in _NOT_DDL, "event trigger"),
    ):
        for function in functions if when else ():
            text = f"CREATE EVENT TRIGGER e ON x EXECUTE FUNCTION {function}()"
            _run(Hook(frozenset(), what, text), f"{what} with {function}", state)


def family(name: Name, state: State) -> Iterator[Name]:
    """The relation, and those whose triggers, defaults and checks run with its own: partitions, heirs, under a view."""
    known, waiting = {name}, [name]
    while waiting:
        current = waiting.pop()
        yield current
        more = set(state.relatives.get(current, ()))
        more |= set(state.programs.relatives.get(current, ())) if state.programs else set()
        waiting += more - known
        known |= more


def _run(hook: Hook, what: str, state: State) -> None:
    """Judged as what it was before this file: what the file makes hides nothing of it."""
    if hook in state.calm or what in state.hidden:
        return
    before = len(state.findings)
    with state.without_own(later=False), state.inside(what):
        try:
            for statement in parse_snippet(hook.text):
                _judge(statement, state)
        except ParseError as error:
            unseen(state, "runs", what, f"whose text cannot be read ({error})")
    state.findings[before:] = [each for each in state.findings[before:] if each.severity in _KEPT]
    if len(state.findings) == before:
        state.calm.add(hook)


def _judge(statement: Raw, state: State) -> None:
    for parts in attached(statement.kind, statement.node):
        call(parts, None, state)
    if statement.kind in ("CreateTrigStmt", "CreateEventTrigStmt"):
        evaluate(statement.node, state)
    elif statement.kind == "RuleStmt":
        evaluate(statement.node.get("whereClause", {}), state)
        for action in statement.node.get("actions", ()):
            judge_node(action, state)
    else:
        judge(statement.kind, statement.node, state)
