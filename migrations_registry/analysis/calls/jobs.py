"""Jobs of pg_cron: what a call plans is judged as what it will run, for nothing else will ever show it.

In: a call of cron.schedule, schedule_in_database, alter_job or unschedule. Out: findings in `state`.
"""

from __future__ import annotations

from migrations_registry.analysis.calls.follow import UNSEEN_CALL, unseen
from migrations_registry.analysis.model import BLOCKING, COMPATIBILITY, CONVENTION, OPAQUE, REWRITE, Finding
from migrations_registry.analysis.nested_statements import run_text
from migrations_registry.analysis.parsing.comparisons import comparison
from migrations_registry.analysis.parsing.constant_folding import literal
from migrations_registry.analysis.parsing.nodes import inner_nodes, is_null, strings, value
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import rule
from migrations_registry.analysis.state import State

UNSCHEDULE = rule(
    "MC-UNSCHEDULE",
    COMPATIBILITY,
    "stops a job{job} of the database: what it did at its times is no longer done",
    "cron.schedule() with the same name replaces it.",
    bad=("SELECT cron.unschedule('nightly')",),
    good=("SELECT cron.unschedule('nightly'); SELECT cron.schedule('nightly', '0 3 * * *', 'SELECT 1')",),
)
# Where the arguments stand (pg_cron 1.6); schedule() may be called without a name.
_PARAMETERS = {
    "schedule": ("job_name", "schedule", "command"),
    "schedule_in_database": ("job_name", "schedule", "command", "database", "username", "active"),
    "alter_job": ("job_id", "schedule", "command", "database", "username", "active"),
    "unschedule": ("job_name",),
}
JOBS = ("cron", "job")
_SOME_DAY = {BLOCKING: COMPATIBILITY, REWRITE: COMPATIBILITY}  # how large its tables are then, nobody knows


def plans(call: Node) -> bool:
    """Whether it is a call of pg_cron."""
    parts = strings(call["funcname"])
    return len(parts) > 1 and parts[-2] == "cron" and parts[-1] in _PARAMETERS


def plan(call: Node, statement: Node, state: State) -> None:
    """Judge what the job runs, or what ends with it; `statement`: around the call."""
    name = strings(call["funcname"])[-1]
    given = _given(call, name)
    if name == "unschedule":
        _unschedule(literal(given.get("job_name")) or _selected(statement), state)
        return
    if name == "alter_job":
        if "active" in given and value(given["active"]) is not True and not is_null(given["active"]):
            state.see(UNSCHEDULE, job="")
        if "func_variadic" not in call and ("command" not in given or is_null(given["command"])):
            return
    else:
        state.replaced.discard(("job", JOBS, literal(given.get("job_name")) or ""))
    before = len(state.findings)
    with state.without_own(later=True), state.inside("job of cron"):
        state.in_transaction = False
        _judge(literal(given.get("command")), name, state)
    state.findings[before:] = [_planned(each) for each in state.findings[before:] if _counts(each)]


def _judge(command: str | None, name: str, state: State) -> None:
    if command is None:
        unseen(state, "plans", f"a command by cron.{name}()", "which is only known at run time")
    elif not run_text(command, state):
        unseen(state, "plans", "a command", "which the grammar refuses")


def _given(call: Node, name: str) -> dict[str, Node]:
    """Its arguments by the names of pg_cron; none where nobody knows which is which."""
    arguments, parameters = call.get("args", []), _PARAMETERS[name]
    if call.get("func_variadic"):
        return {}
    if name == "schedule" and len(arguments) == 2 and not any("NamedArgExpr" in each for each in arguments):
        parameters = parameters[1:]
    named = {each["NamedArgExpr"]["name"]: each["NamedArgExpr"]["arg"] for each in arguments if "NamedArgExpr" in each}
    return dict(zip(parameters, (each for each in arguments if "NamedArgExpr" not in each), strict=False)) | named


def _counts(finding: Finding) -> bool:
    return finding.severity != CONVENTION or finding.rule == UNSEEN_CALL.id


def _planned(finding: Finding) -> Finding:
    """Nothing sets a job off that could be judged then, so what is not seen now is never seen."""
    severity = OPAQUE if finding.rule == UNSEEN_CALL.id else _SOME_DAY.get(finding.severity, finding.severity)
    return finding._replace(severity=severity)


def _selected(statement: Node) -> str | None:
    """`… FROM cron.job WHERE jobname = 'x'`."""
    where = statement.get("whereClause", {}).get("A_Expr", {})
    if where.get("kind") != "AEXPR_OP" or "jobname" not in str(where.get("lexpr")):
        return None
    _, operator, name = comparison(where)
    return str(name) if operator == "=" and name else None


def _unschedule(name: str | None, state: State) -> None:
    if ("job", JOBS, name or "") not in state.replaced:
        state.see(UNSCHEDULE, job=f" ({name})" if name else "")


def planned_names(statement: Node) -> set[str]:
    """The jobs that a statement plans by their names."""
    calls = [call for kind, call in inner_nodes(statement) if kind == "FuncCall" and plans(call)]
    names = {literal(_given(call, "schedule").get("job_name")) for call in calls if _is_schedule(call)}
    return {name for name in names if name}


def _is_schedule(call: Node) -> bool:
    return strings(call["funcname"])[-1].startswith("schedule")
