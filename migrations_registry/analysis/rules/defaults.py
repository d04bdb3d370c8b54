"""ADD COLUMN: which defaults, identities, generated columns, domains and checks touch every row."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, BLOCKING, CONVENTION, DATA, REWRITE, Name, label
from migrations_registry.analysis.parsing.nodes import function_name, inner_nodes, is_null, relation, type_name
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.builtin_functions import is_volatile
from migrations_registry.analysis.rule_registry import on_alter, rule
from migrations_registry.analysis.rules.domain_columns import domain_column
from migrations_registry.analysis.state import State

_BACKFILL = "ADD COLUMN without it; SET DEFAULT for new rows; backfill in batches; then NOT NULL by a validated CHECK."
ADD_COLUMN = rule(
    "ML-ADD-COLUMN",
    CONVENTION,
    "adds a column to {name} without touching its rows: nobody can use it for a moment",
    "Nothing to do.",
    lock=AX,
    versions="constant and stable defaults since 11",
    bad=("ALTER TABLE orders ADD COLUMN x int DEFAULT 0 NOT NULL",),
    good=("CREATE TABLE x (a int); ALTER TABLE x ADD COLUMN b int",),
)
NOT_NULL_NO_DEFAULT = rule(
    "MV-ADD-NOT-NULL-NO-DEFAULT",
    DATA,
    "fails if {name} has rows: {column} must have a value (NOT NULL), and nothing gives them one",
    _BACKFILL,
    lock=AX,
    scan=True,
    bad=("ALTER TABLE void ADD COLUMN x int NOT NULL",),
    good=("ALTER TABLE orders ADD COLUMN x int NOT NULL DEFAULT 0",),
)
VOLATILE_DEFAULT = rule(
    "ML-VOLATILE-DEFAULT",
    REWRITE,
    "{function} gives each row its own value: {name} and its indexes are written anew while nobody can use them",
    _BACKFILL,
    lock=AX,
    rewrite=True,
    scan=True,
    versions="any default before 12: 11 brought fast defaults, its minor releases repaired them",
    bad=(
        "ALTER TABLE orders ADD COLUMN x uuid DEFAULT gen_random_uuid()",
        "ALTER TABLE orders ADD COLUMN x timestamptz DEFAULT clock_timestamp()",
    ),
    good=(
        "ALTER TABLE orders ADD COLUMN x timestamptz DEFAULT now()",
        "ALTER TABLE orders ALTER COLUMN note SET DEFAULT random()::text",
    ),
)
ADD_SERIAL = rule(
    "ML-ADD-SERIAL",
    REWRITE,
    "numbers every row: {name} and its indexes are written anew while nobody can use them",
    "Add a plain bigint, attach a sequence for new rows, backfill in batches.",
    lock=AX,
    rewrite=True,
    scan=True,
    bad=(
        "ALTER TABLE orders ADD COLUMN x bigserial",
        "ALTER TABLE orders ADD COLUMN x bigint GENERATED ALWAYS AS IDENTITY",
    ),
    good=("CREATE TABLE x (a bigserial)",),
)
GENERATED_STORED = rule(
    "ML-GEN-STORED",
    REWRITE,
    "computes {column} for every row: {name} is written anew while nobody can use it",
    "A plain column filled by a trigger, backfilled in batches; or VIRTUAL since 18.",
    lock=AX,
    rewrite=True,
    scan=True,
    bad=("ALTER TABLE orders ADD COLUMN x numeric GENERATED ALWAYS AS (amount * 2) STORED",),
    good=("CREATE TABLE x (a int, b int GENERATED ALWAYS AS (a * 2) STORED)",),
)
GENERATED_VIRTUAL = rule(
    "ML-GEN-VIRTUAL",
    CONVENTION,
    "{column} is computed when it is read: nobody can use {name} for a moment",
    "Nothing to do.",
    lock=AX,
    versions="18+",
    bad=("ALTER TABLE orders ADD COLUMN x numeric GENERATED ALWAYS AS (amount * 2) VIRTUAL",),
    good=("SELECT 1",),
)
INLINE_CHECK = rule(
    "ML-INLINE-CHECK",
    BLOCKING,
    "checks every row of {name} while nobody can read or write it, and fails if one does not fit",
    "ADD COLUMN alone; ADD CONSTRAINT … CHECK … NOT VALID; VALIDATE in the next file.",
    lock=AX,
    scan=True,
    bad=(
        "ALTER TABLE orders ADD COLUMN x int CHECK (x > 0)",
        "ALTER TABLE orders ADD COLUMN x bigint GENERATED ALWAYS AS (id + 1) VIRTUAL NOT NULL",
    ),
    good=("ALTER TABLE orders ADD COLUMN x int", "ALTER TABLE orders ADD COLUMN x int NOT NULL DEFAULT 0"),
)
LOCAL_TIMESTAMP = rule(
    "MV-LOCAL-TIMESTAMP",
    DATA,
    "gives every row of {name} the moment of the migration in the session's time zone, without saying which",
    "timestamptz; or a nullable column with SET DEFAULT for new rows only.",
    lock=AX,
    bad=("ALTER TABLE orders ADD COLUMN x timestamp DEFAULT now()",),
    good=("ALTER TABLE orders ADD COLUMN x timestamptz DEFAULT now()", "ALTER TABLE orders ADD COLUMN x timestamp"),
)
FAST_DEFAULTS_SINCE = 12
_SERIAL = {"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"}


@on_alter("AddColumn")
def add_column(command: Node, alter: Node, state: State) -> None:
    """ADD COLUMN on an existing table."""
    name = relation(alter["relation"])
    column = command["def"]["ColumnDef"]
    state.column_types[name, column["colname"]] = type_name(column.get("typeName", {}))
    by_kind = {item["Constraint"]["contype"]: item["Constraint"] for item in column.get("constraints", [])}
    if not command.get("missing_ok") or _is_absent(name, column["colname"], state):
        state.created_columns.add((name, column["colname"]))
    if by_kind.keys() & {"CONSTR_NOTNULL", "CONSTR_IDENTITY"} or state.column_types[name, column["colname"]] in _SERIAL:
        state.required_columns.add((name, column["colname"]))
    needs_value = by_kind.keys() & {"CONSTR_NOTNULL", "CONSTR_PRIMARY"} and not _fills(column, by_kind)
    if state.is_new(name):
        if needs_value and name in state.filled:
            state.see(NOT_NULL_NO_DEFAULT, name=label(name), column=column["colname"])
        return
    before = len(state.findings)
    _rewriting(column, by_kind, name, state)
    if "CONSTR_CHECK" in by_kind or ("CONSTR_NOTNULL" in by_kind and _is_virtual(by_kind)):
        state.see(INLINE_CHECK, name=label(name))
    if len(state.findings) == before and needs_value:
        state.see(NOT_NULL_NO_DEFAULT, name=label(name), column=column["colname"])
    elif len(state.findings) == before:
        state.see(ADD_COLUMN, name=label(name))


def _is_absent(name: Name, column: str, state: State) -> bool:
    """Whether IF NOT EXISTS will make it: a live catalog knows the table and lacks the column."""
    facts = state.table(name)
    return facts is not None and column not in facts.columns


def _fills(column: Node, by_kind: dict[str, Node]) -> bool:
    has_value = "CONSTR_DEFAULT" in by_kind and not is_null(by_kind["CONSTR_DEFAULT"].get("raw_expr", {}))
    return has_value or bool(by_kind.keys() & {"CONSTR_GENERATED", "CONSTR_IDENTITY"}) or _is_serial(column)


def _is_virtual(by_kind: dict[str, Node]) -> bool:
    return by_kind.get("CONSTR_GENERATED", {}).get("generated_kind") == "v"


def _is_serial(column: Node) -> bool:
    return type_name(column["typeName"]) in _SERIAL if "typeName" in column else False


def _rewriting(column: Node, by_kind: dict[str, Node], name: Name, state: State) -> None:
    if _is_serial(column) or "CONSTR_IDENTITY" in by_kind:
        state.see(ADD_SERIAL, name=label(name))
    elif "CONSTR_GENERATED" in by_kind:
        generated = GENERATED_VIRTUAL if _is_virtual(by_kind) else GENERATED_STORED
        state.see(generated, name=label(name), column=column["colname"])
    elif "CONSTR_DEFAULT" in by_kind:
        _default(by_kind["CONSTR_DEFAULT"].get("raw_expr", {}), column, name, state)
    domain_column(column, name, state)


def _default(expression: Node, column: Node, name: Name, state: State) -> None:
    function = volatile_call(expression, state)
    if function or state.pg_version < FAST_DEFAULTS_SINCE:
        state.see(VOLATILE_DEFAULT, name=label(name), function=function or "any default of that version")
    elif type_name(column["typeName"]) == "timestamp" and (
        "FuncCall" in expression or "SQLValueFunction" in expression
    ):
        state.see(LOCAL_TIMESTAMP, name=label(name))


def volatile_call(expression: Node, state: State) -> str | None:
    """The first function in a default that may give each row another value; unknown functions count as volatile."""
    for kind, call in inner_nodes({"": expression}):
        if kind == "FuncCall" and (function := function_name(call)) and _is_volatile(function, call, state):
            return f"{function}()"
    return None


def _is_volatile(function: str, call: Node, state: State) -> bool:
    if function in state.routines:
        return any(routine.volatility == "volatile" for routine in state.routines[function])
    if function == "now" and "args" in call:
        return True  # not PostgreSQL's own
    return is_volatile(function) is not False
