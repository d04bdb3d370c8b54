"""Statements inside statements: bodies of DO and of functions the file calls, EXECUTE, WITH, PREPARE, EXPLAIN ANALYZE.

What is found inside is judged as if it stood at the top; what cannot be read is reported as opaque.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from migrations_registry.analysis.certainty import Made, keep, so_far
from migrations_registry.analysis.dispatch import judge
from migrations_registry.analysis.model import OPAQUE
from migrations_registry.analysis.parsing.constant_folding import HOLE, OPEN, fold
from migrations_registry.analysis.parsing.parser import Node, ParseError, parse_plpgsql, parse_snippet
from migrations_registry.analysis.parsing.plpgsql_variables import TARGET, constants, listed, untold, whole_numbers
from migrations_registry.analysis.rule_registry import rule
from migrations_registry.analysis.state import State

DYNAMIC = rule(
    "MX-DYNAMIC",
    OPAQUE,
    "EXECUTE runs a text that is put together only as it runs, so nobody can tell what it does: {text}",
    "Write the statements out, one by one.",
    bad=(
        "DO $$ DECLARE r record; BEGIN FOR r IN SELECT relname FROM pg_class LOOP EXECUTE format('DROP TABLE %I', "
        "r.relname); END LOOP; END $$",
        "DO $$ BEGIN EXECUTE convert_from(decode('64726f70', 'hex'), 'UTF8'); END $$",
    ),
    good=("DO $$ BEGIN EXECUTE 'SELECT 1'; END $$", "DO $$ DECLARE q text := 'SELECT ' || 1; BEGIN EXECUTE q; END $$"),
)
UNREADABLE = rule(
    "MX-UNREADABLE",
    OPAQUE,
    "a body in {language} that cannot be read here, so it may do anything: {reason}",
    "PL/pgSQL or SQL that PostgreSQL 18 accepts.",
    bad=("DO LANGUAGE plperl 'spi_exec_query(1)'", "DO $$ BEGIN DROP TABEL x; END $$"),
    good=("DO $$ BEGIN PERFORM 1; END $$",),
)
IN_BODY_COMMIT = rule(
    "MT-BODY-COMMIT",
    OPAQUE,
    "COMMIT or ROLLBACK inside a body ends the runner's transaction: earlier statements survive a failure",
    "Leave transactions to the runner; batches are steps of their own.",
    bad=("DO $$ BEGIN UPDATE orders SET note = 'x' WHERE id = 1; COMMIT; END $$",),
    good=("DO $$ BEGIN NULL; END $$",),
)
MAX_DEPTH = 12
_OPEN = {
    ("CreateStmt", ""): ("relation", "partbound"),
    ("GrantStmt", "OBJECT_DATABASE"): ("objects",),
    ("CommentStmt", "OBJECT_DATABASE"): ("object", "comment"),
    ("AlterDatabaseSetStmt", ""): ("dbname",),
}
DO_BLOCK = "DO block"
_BRANCHES = {"body", "then_body", "else_body", "stmts", "else_stmts", "exceptions"}
_LOOPS = {f"PLpgSQL_stmt_{kind}" for kind in ("loop", "while", "fori", "fors", "forc", "foreach_a", "dynfors")}


class Variables(NamedTuple):
    """Of a body: those with one value, those that a loop takes through known values, those of whole numbers."""

    known: dict[str, str]
    lists: dict[str, list[str]]
    whole: list[str]


def run_text(text: str, state: State) -> bool:
    """Judge SQL text statement by statement; False when the grammar refuses it."""
    try:
        statements = parse_snippet(text)
    except ParseError:
        return False
    for statement in statements:
        judge(statement.kind, statement.node, state)
    return True


def body(language: str, text: str, statement: str, place: str, state: State) -> None:
    """Judge a DO or function body. `statement` is the whole CREATE FUNCTION or DO, which PL/pgSQL's grammar needs.

    What it makes counts as made inside of it; whether it went so far, nobody knows afterwards.
    """
    if len(state.hidden) >= MAX_DEPTH:
        state.see(UNREADABLE, language=language, reason=f"more than {MAX_DEPTH} levels of statements inside statements")
        return
    before = so_far(state)
    with state.inside(place):
        if language == "sql":
            if not run_text(text, state):
                state.see(UNREADABLE, language="SQL", reason="syntax error")
        elif language == "plpgsql":
            _plpgsql(statement, state)
        else:
            state.see(UNREADABLE, language=language, reason="only SQL and PL/pgSQL are understood")
    keep(before, state)


def _plpgsql(statement: str, state: State) -> None:
    try:
        tree = parse_plpgsql(statement)
    except ParseError as error:
        state.see(UNREADABLE, language="PL/pgSQL", reason=str(error).replace("{", "(").replace("}", ")"))
        return
    for query in untold(tree, statement):
        if not query or not run_text(query, state):
            state.see(UNREADABLE, language="PL/pgSQL", reason="a variable's default cannot be read")
    variables = Variables(constants(tree), listed(tree), whole_numbers(tree))
    branches: list[Made] = []
    for kind, node in _statements([tree.get("datums", []), tree.get("action", {})]):
        if kind == "branch":
            branches.append(so_far(state))
        elif kind == "end of branch":
            keep(branches.pop(), state)
        elif kind in ("loop", "end of loop"):
            state.loops += 1 if kind == "loop" else -1
        elif kind in ("PLpgSQL_stmt_commit", "PLpgSQL_stmt_rollback"):
            state.see(IN_BODY_COMMIT)
        elif kind == "dynamic":
            _execute(node["query"], variables, state)
        else:
            _embedded(node, state)


def _statements(tree: object) -> Iterator[tuple[str, Node]]:
    """Every expression (kind PLpgSQL_expr or dynamic) and transaction command of a body, in source order.

    Around what may not run, or may be taken back: kinds branch and end of branch; around loops theirs.
    """
    stack: list[object] = [tree]
    while stack:
        current = stack.pop()
        if isinstance(current, str):
            yield current, {}
        elif isinstance(current, list):
            stack += reversed(current)
        elif isinstance(current, dict):
            for kind, node in current.items():
                if kind in ("PLpgSQL_stmt_commit", "PLpgSQL_stmt_rollback"):
                    yield kind, node
                elif kind in ("PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors"):
                    yield "dynamic", node["query"]["PLpgSQL_expr"]
                elif kind == "dynquery":
                    yield "dynamic", node["PLpgSQL_expr"]
                elif kind == "PLpgSQL_expr":
                    yield kind, node
            for kind, child in reversed(current.items()):
                around = "branch" if kind in _BRANCHES else "loop" if kind in _LOOPS else ""
                if kind not in ("PLpgSQL_expr", "dynquery"):
                    stack += [f"end of {around}", child, around] if around else [child]


def _embedded(expression: Node, state: State) -> None:
    """A statement (mode 0), an expression (2) or an assignment (3) of a body; only those that call something matter."""
    text, mode = expression.get("query", ""), expression.get("parseMode", 0)
    if mode == 0 and text:
        if not run_text(text, state):
            state.see(UNREADABLE, language="PL/pgSQL", reason="syntax error in an embedded statement")
    elif text:
        run_text("SELECT " + (TARGET.sub("", text, count=1) if mode == 3 else text), state)


def _execute(expression: str, variables: Variables, state: State) -> None:
    """Of a loop over constants, every text that it makes; else what is certain of any, where that is enough."""
    for holes in ({}, {**dict.fromkeys(variables.whole, HOLE), **OPEN}):
        rounds = [[variables.known], *([{**variables.known, n: v} for v in vs] for n, vs in variables.lists.items())]
        for each in rounds:
            texts = [fold(expression, {**holes, **known}) for known in each]
            if None not in texts and (not holes or all(_is_certain(text or "") for text in texts)):
                _run_texts(texts, state, expression if holes else "")
                return
    state.see(DYNAMIC, text=" ".join(expression.split())[:200].replace("{", "(").replace("}", ")"))


def _run_texts(texts: list[str | None], state: State, expression: str) -> None:
    before = so_far(state)
    with state.inside("EXECUTE"):
        for text in texts:
            if not run_text(text or "", state):
                state.see(UNREADABLE, language="EXECUTE", reason="syntax error")
    if expression:
        keep(before, state)
        run_text(f"SELECT {expression}", state)


def _is_certain(text: str) -> bool:
    """Nothing but statements of which only the new table's name, its bounds or the database's name are not known."""
    try:
        statements = parse_snippet(text)
    except ParseError:
        return False
    return all(_holds_no_hole(each.kind, each.node) for each in statements)


def _holds_no_hole(kind: str, node: Node) -> bool:
    open_fields = _OPEN.get((kind, node.get("objtype", "")), ())
    closed = [value for key, value in node.items() if key not in open_fields]
    return HOLE not in str(closed) and HOLE not in node.get("relation", {}).get("schemaname", "")
