"""After the rules have spoken: what does the statement run? Deny by default: a kind that is named here nowhere runs all
that it names, now.

In: statements. Out: findings; what relations will run later is kept in `state.waiting`.
"""

from __future__ import annotations

from collections.abc import Iterable

from migrations_registry.analysis.calls.attached import Parts, attached
from migrations_registry.analysis.calls.catalogue import family, set_off
from migrations_registry.analysis.calls.evaluate import computes, evaluate
from migrations_registry.analysis.calls.events import CHANGES, CHANGING, READ, WRITES, happening, trigger_events
from migrations_registry.analysis.calls.follow import call, unseen
from migrations_registry.analysis.calls.jobs import JOBS
from migrations_registry.analysis.dispatch import judge_node
from migrations_registry.analysis.model import (
    COMPATIBILITY,
    CONVENTION,
    DESTRUCTIVE,
    OPAQUE,
    SECURITY,
    Finding,
    Name,
    label,
)
from migrations_registry.analysis.parsing.nodes import DML, inner_nodes, relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.routines import Waiting
from migrations_registry.analysis.rule_registry import AFTER
from migrations_registry.analysis.state import State

# Their queries are judged as statements, or run when something else says so.
_ELSEWHERE = {"CreateTableAsStmt", "DeclareCursorStmt", "PrepareStmt", "CreateSchemaStmt", "ExplainStmt", "DoStmt"}
_JOBS = {JOBS, ("pgagent", "pga_jobstep"), ("timetable", "task")}
_GRAVE = {DESTRUCTIVE, OPAQUE, SECURITY}
_ONLY_EXPRESSIONS = {"CreateStmt", "CreatePolicyStmt", "AlterPolicyStmt", "AlterTableStmt", "IndexStmt"}
_LATER = {"CreateStmt", "ViewStmt", "CreatePolicyStmt", "AlterPolicyStmt", "CreateTrigStmt", "RuleStmt"}


def runs(kind: str, node: Node, taken: list[tuple[Name, str]], state: State) -> None:
    """Everything that the statement computes now, makes something else compute later, or sets off."""
    if kind in _ONLY_EXPRESSIONS and not computes(node):
        pass
    elif kind in _LATER:
        _attach(kind, node, state)
    elif kind == "AlterTableStmt":
        _alter(node, state)
    elif kind == "IndexStmt" and state.is_new(relation(node["relation"])):
        _wait(relation(node["relation"]), WRITES, f"index on {node['relation']['relname']}", (), (node,), state)
    elif kind == "CreateFunctionStmt":
        _name_all(attached(kind, node), state)
    elif kind == "ExplainStmt":
        evaluate(node["query"], state)  # planning computes what is immutable
    elif kind not in _ELSEWHERE:
        of_rows = kind in DML and (kind == "UpdateStmt" or any(key == "RangeVar" for key, _ in inner_nodes(node)))
        state.loops += of_rows  # what it calls, it may call for each row
        evaluate({"FuncCall": node["funccall"]} if kind == "CallStmt" else node, state)
        state.loops -= of_rows
        _name_all(attached(kind, node), state)
    if state.waiting or kind in CHANGING:
        _set_off(kind, node, state)
    if state.programs is not None:
        set_off(kind, node, state)


def _name_all(names: Iterable[Parts], state: State) -> None:
    for parts in names:
        call(parts, None, state)


def _attach(kind: str, node: Node, state: State) -> None:
    """A trigger, a rule, a view, a policy; defaults, checks and computed columns of a new table."""
    name = relation(node.get("relation") or node.get("view") or node["table"])
    if kind == "CreateTrigStmt":
        what, events = f"trigger {node['trigname']} of {label(name)}", trigger_events(node["events"])
        nodes: tuple[Node, ...] = (node.get("whenClause", {}),)
    elif kind == "RuleStmt":
        what, events = f"rule {node['rulename']} of {label(name)}", CHANGES | {READ}
        nodes = (*node.get("actions", ()), node.get("whereClause", {}))
    elif kind == "ViewStmt":
        what, events, nodes = f"view {label(name)}", CHANGES | {READ}, (node["query"],)
    else:
        policy = "policy_name" in node
        what = f"policy {node['policy_name']} of {label(name)}" if policy else f"table {label(name)}"
        events, nodes = (CHANGES | {READ} if policy else WRITES), (node,)
    before = len(state.findings)
    _wait(name, events, what, tuple(attached(kind, node)), nodes, state)
    if kind == "CreateTrigStmt" and not state.is_new(name) and name not in state.perhaps_created:
        state.findings[before:] = [_each_write_runs(finding) for finding in state.findings[before:]]


def _each_write_runs(finding: Finding) -> Finding:
    """What nobody has seen runs with every write of a table that is in use; of a new one, nobody writes yet."""
    unsure = finding.severity == CONVENTION and _is_unseen(finding.rule)
    return finding._replace(severity=COMPATIBILITY) if unsure else finding


def _alter(node: Node, state: State) -> None:
    name = relation(node["relation"])
    for item in node["cmds"]:
        command = item["AlterTableCmd"]
        if state.is_new(name) or command["subtype"] == "AT_ColumnDefault":
            _wait(name, WRITES, f"table {label(name)}", (), (item,), state)
        else:
            evaluate(item, state)


def _wait(
    name: Name, events: frozenset[str], what: str, names: tuple[Parts, ...], nodes: tuple[Node, ...], state: State
) -> None:
    """Judge it as what it will be some day; what is grave or unseen then, is so again when the file sets it off."""
    before = len(state.findings)
    with state.without_own(later=True):
        _run_all(what, names, nodes, state)
    added = state.findings[before:]
    state.findings[before:] = [finding for finding in added if finding.severity in _GRAVE or _is_unseen(finding.rule)]
    if len(state.findings) > before:
        state.waiting.setdefault(name, []).append(Waiting(events, what, names, nodes))


def _is_unseen(rule: str) -> bool:
    return rule.startswith("MX-UNSEEN")


def _run_all(what: str, names: tuple[Parts, ...], nodes: tuple[Node, ...], state: State) -> None:
    if what in state.hidden:
        return
    with state.inside(what):
        _name_all(names, state)
        for node in nodes:
            if next(iter(node), "").endswith("Stmt"):
                judge_node(node, state)
            elif node:
                evaluate(node, state)


def _set_off(kind: str, node: Node, state: State) -> None:
    for name, events in happening(kind, node):
        if name in _JOBS and events & CHANGES:
            unseen(state, "writes", label(name), "whose rows are commands that run later")
        if not state.waiting:
            continue
        for each in family(name, state):
            for waiting in state.waiting.get(each, ()):
                if waiting.events & events:
                    _run_all(waiting.what, waiting.names, waiting.nodes, state)


AFTER.append(runs)
