"""Statements inside statements: bodies of DO and of functions the file calls, EXECUTE, WITH, PREPARE, EXPLAIN ANALYZE.

What is found inside is judged as if it stood at the top; what cannot be read is reported as opaque.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from migrations_registry.analysis.dispatch import judge
from migrations_registry.analysis.model import OPAQUE
from migrations_registry.analysis.parsing.constant_folding import fold
from migrations_registry.analysis.parsing.parser import Node, ParseError, parse_plpgsql, parse_snippet
from migrations_registry.analysis.rule_registry import rule
from migrations_registry.analysis.state import State

DYNAMIC = rule(
    "MX-DYNAMIC",
    OPAQUE,
    "EXECUTE runs a text that is only known at run time: {text}",
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
    "a body in {language} that cannot be read here: {reason}",
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
DO_BLOCK = "DO block"
_TARGET = re.compile(r"^[^=]*=")


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
    """Judge a DO or function body. `statement` is the whole CREATE FUNCTION or DO, which PL/pgSQL's grammar needs."""
    if place != DO_BLOCK and place in state.hidden:
        return  # it calls itself; its body is being judged already
    if len(state.hidden) >= MAX_DEPTH:
        state.see(UNREADABLE, language=language, reason=f"more than {MAX_DEPTH} levels of statements inside statements")
        return
    with state.inside(place):
        if language == "sql":
            if not run_text(text, state):
                state.see(UNREADABLE, language="SQL", reason="syntax error")
        elif language == "plpgsql":
            _plpgsql(statement, state)
        else:
            state.see(UNREADABLE, language=language, reason="only SQL and PL/pgSQL are understood")


def _plpgsql(statement: str, state: State) -> None:
    try:
        tree = parse_plpgsql(statement)
    except ParseError as error:
        state.see(UNREADABLE, language="PL/pgSQL", reason=str(error).replace("{", "(").replace("}", ")"))
        return
    known = _constants(tree)
    for kind, node in _statements(tree.get("action", {})):
        if kind in ("PLpgSQL_stmt_commit", "PLpgSQL_stmt_rollback"):
            state.see(IN_BODY_COMMIT)
        elif kind == "dynamic":
            _execute(node["query"], known, state)
        else:
            _embedded(node, state)


def _statements(tree: Node) -> Iterator[tuple[str, Node]]:
    """Every expression (kind PLpgSQL_expr or dynamic) and transaction command of a body, in source order."""
    stack: list[object] = [tree]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
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
            stack += [child for kind, child in reversed(current.items()) if kind not in ("PLpgSQL_expr", "dynquery")]


def _embedded(expression: Node, state: State) -> None:
    """A statement (mode 0), an expression (2) or an assignment (3) of a body; only those that call something matter."""
    text, mode = expression["query"], expression.get("parseMode", 0)
    if mode == 0:
        if not run_text(text, state):
            state.see(UNREADABLE, language="PL/pgSQL", reason="syntax error in an embedded statement")
    elif "(" in text:
        run_text("SELECT " + (_TARGET.sub("", text, count=1) if mode == 3 else text), state)


def _execute(expression: str, known: dict[str, str], state: State) -> None:
    text = fold(expression, known)
    if text is None:
        state.see(DYNAMIC, text=" ".join(expression.split())[:200].replace("{", "(").replace("}", ")"))
        return
    with state.inside("EXECUTE"):
        if not run_text(text, state):
            state.see(UNREADABLE, language="EXECUTE", reason="syntax error")


def _constants(tree: Node) -> dict[str, str]:
    """Variables that get exactly one value in the whole body, and that value is constant."""
    names: list[str | None] = [
        next(iter(datum.values())).get("refname") if datum else None for datum in tree.get("datums", [])
    ]
    values: dict[str, list[str | None]] = {}
    for datum in tree.get("datums", []):
        variable = datum.get("PLpgSQL_var", {})
        if "default_val" in variable:
            values.setdefault(variable["refname"], []).append(
                fold(variable["default_val"]["PLpgSQL_expr"]["query"], {})
            )
    for name, expression in _assignments(tree.get("action", {}), names):
        known = {other: given[0] for other, given in values.items() if len(given) == 1 and given[0] is not None}
        values.setdefault(name, []).append(fold(_TARGET.sub("", expression, count=1), known) if expression else None)
    shadowed = Counter(name for name in names if name)
    return {
        name: given[0]
        for name, given in values.items()
        if len(given) == 1 and given[0] is not None and shadowed[name] < 2
    }


def _assignments(tree: Node, names: list[str | None]) -> Iterator[tuple[str, str]]:
    """(variable, expression text) of each assignment; an empty text for INTO, FOR and FETCH targets."""
    stack: list[object] = [tree]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack += reversed(current)
        elif isinstance(current, dict):
            if "varno" in current and "expr" in current and current["varno"] < len(names):
                yield names[current["varno"]] or "", current["expr"]["PLpgSQL_expr"]["query"]
            for field in current.get("fields", ()):
                yield field["name"], ""
            for key in ("var", "target"):
                held = next(iter(current[key].values())) if isinstance(current.get(key), dict) else {}
                if "refname" in held:
                    yield held["refname"], ""
            stack += reversed(list(current.values()))
