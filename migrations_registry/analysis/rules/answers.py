"""Functions and checks of which others ask yes or no: whether the answer still depends on anything."""

from __future__ import annotations

import re

from migrations_registry.analysis.model import COMPATIBILITY, SECURITY, label
from migrations_registry.analysis.parsing.conditions import always_true, asks_nothing, never_true, texts_in
from migrations_registry.analysis.parsing.nodes import (
    constant,
    dotted,
    inner_nodes,
    keys_in,
    relation,
    strings,
    type_name,
)
from migrations_registry.analysis.parsing.parser import Node, ParseError, parse_plpgsql, parse_snippet
from migrations_registry.analysis.routines import Routine, routine
from migrations_registry.analysis.rule_registry import on, on_alter, rule
from migrations_registry.analysis.state import State

ONE_ANSWER = rule(
    "MS-ONE-ANSWER",
    SECURITY,
    "{name}() answers {answer} to {whom}, whatever it is asked: if something asks it already, {so}",
    "Compare with who asks: auth.uid(), or a row of a table of members.",
    bad=(
        "CREATE OR REPLACE FUNCTION x() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        "CREATE OR REPLACE FUNCTION x() RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END'",
    ),
    good=(
        "CREATE FUNCTION x() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        "CREATE OR REPLACE FUNCTION x(a int) RETURNS boolean LANGUAGE sql AS 'SELECT a > 1'",
        "CREATE OR REPLACE FUNCTION x() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF random() > 1 THEN RETURN "
        "false; END IF; RETURN true; END $$",
    ),
)
NEVER = rule(
    "MC-CHECK-NEVER",
    COMPATIBILITY,
    "the check says no to everything: from now on no row {of} can be written",
    "REVOKE INSERT, UPDATE from the roles that write says so to whoever tries.",
    bad=(
        "ALTER TABLE orders ADD CONSTRAINT x CHECK (false) NOT VALID",
        "ALTER DOMAIN positive ADD CONSTRAINT x CHECK (1 = 0) NOT VALID",
    ),
    good=(
        "ALTER TABLE orders ADD CONSTRAINT x CHECK (amount >= 0) NOT VALID",
        "CREATE TABLE x (a int); ALTER TABLE x ADD CHECK (false)",
    ),
)
METADATA = rule(
    "MS-POLICY-METADATA",
    SECURITY,
    "{who} trusts {what}",
    "Keep roles in app_metadata, and who belongs where in a table of your own.",
    bad=(
        "CREATE POLICY x ON orders USING ((current_setting('claims')::json -> 'user_metadata' ->> 'role') = 'admin')",
        "CREATE POLICY x ON orders USING (note = current_setting('request.headers', true)::json ->> 'x-tenant')",
        "CREATE FUNCTION x() RETURNS text LANGUAGE sql AS $$ SELECT current_setting('claims')::json -> "
        "'user_metadata' ->> 'role' $$",
    ),
    good=(
        "CREATE POLICY x ON orders USING ((auth.jwt() -> 'app_metadata' ->> 'role') = 'admin')",
        "CREATE FUNCTION x() RETURNS text LANGUAGE sql AS $$ SELECT auth.jwt() -> 'user_metadata' ->> 'name' $$",
    ),
)
_READS = re.compile(r"user_meta_?data(?:'?\)?\s*+->>?\s*+'|,)(\w*+)", re.IGNORECASE)
_POWER = re.compile(r"role|admin|permission|tenant|tier|plan|credit|staff|owner", re.IGNORECASE)
_CHOSEN = {
    "user_metadata": "user_metadata, which every user can change for themselves",
    "raw_user_meta_data": "raw_user_meta_data, which every user can change for themselves",
    "request.header": "a header of the request: whoever asks writes there what they like",
    "request.cookie": "a cookie of the request: whoever asks writes there what they like",
}


@on("CreateFunctionStmt")
def replace_function(node: Node, state: State) -> None:
    """CREATE OR REPLACE FUNCTION … RETURNS boolean."""
    if type_name(node.get("returnType", {})) != "bool" or not node.get("replace"):
        return
    made = routine(node, state.source, state.scope.schemas[0])
    if (answer := answer_of(made)) is not None:
        so = "what a policy or a check asks of it, passes" if answer else "what asks it, is refused from now on"
        severity = SECURITY if answer else COMPATIBILITY
        whom = "everybody who has signed in" if answer and not always_true(_expression(made)) else "everybody"
        words = {"name": label(made.name), "answer": "yes" if answer else "no", "whom": whom, "so": so}
        state.see(ONE_ANSWER, severity, **words)


@on("CreateFunctionStmt")
def trusts_caller(node: Node, state: State) -> None:
    """CREATE FUNCTION that reads there what somebody may do."""
    made = routine(node, state.source, state.scope.schemas[0])
    if any(_POWER.search(found[1]) for found in _READS.finditer(made.body or made.statement)):
        state.see(METADATA, who=f"{label(made.name)}()", what=_CHOSEN["user_metadata"])


@on_alter("AddConstraint")
def check_never(command: Node, alter: Node, state: State) -> None:
    """ADD CHECK that no row passes."""
    condition = command["def"]["Constraint"].get("raw_expr")
    if condition and never_true(condition) and not state.is_new_relation(alter["relation"]):
        state.see(NEVER, of=f"of {label(relation(alter['relation']))}")


@on("AlterDomainStmt")
def domain_check_never(node: Node, state: State) -> None:
    """ALTER DOMAIN … ADD CHECK that no value passes."""
    domain = dotted(strings(node["typeName"]))
    condition = node.get("def", {}).get("Constraint", {}).get("raw_expr")
    if condition and never_true(condition) and domain not in state.made_types:
        state.see(NEVER, of=f"with a value of {label(domain)}")


def says_yes(condition: Node, state: State) -> bool:
    """Whether it is nothing but a call of a function of the file that says so to everybody."""
    query = condition.get("SubLink", {}).get("subselect", {}).get("SelectStmt", {})
    if len(query.get("targetList", ())) == 1 and "fromClause" not in query:
        condition = query["targetList"][0]["ResTarget"]["val"]
    name = strings(condition.get("FuncCall", {}).get("funcname", []))
    known = state.routines.get(name[-1], []) if name else []
    return bool(known) and all(answer_of(each) is True for each in known)


def chosen_by_caller(conditions: list[Node], state: State) -> str:
    """What they, or functions of the file that they call, believe of whoever asks, in words; nothing: ""."""
    texts = texts_in(conditions)
    for kind, node in inner_nodes({"": conditions}):
        made = state.routines.get(strings(node["funcname"])[-1], []) if kind == "FuncCall" else []
        texts |= {each.statement for each in made}
    return next((told for word, told in _CHOSEN.items() if any(word in text for text in texts)), "")


def answer_of(made: Routine) -> bool | None:
    """The one that its body always gives, to all who have signed in if it is asked about something; None where it
    depends on more, or nobody can tell.
    """
    try:
        expression = _expression(made)
    except (ParseError, KeyError, IndexError):
        return None
    if always_true(expression) or (made.most != 0 and _asks_only_who(expression)):
        return True
    return False if "A_Const" in expression and constant(expression["A_Const"]) is False else None


def _asks_only_who(expression: Node) -> bool:
    """Whether somebody has signed in: none of its arguments, and no row."""
    if expression.get("BoolExpr", {}).get("boolop") == "OR_EXPR":
        return any(map(_asks_only_who, expression["BoolExpr"]["args"]))
    named = any(kind == "ColumnRef" for kind, _ in inner_nodes(expression)) or "ParamRef" in keys_in(expression)
    return not named and asks_nothing(expression)


def _expression(made: Routine) -> Node:
    """What it returns before it does anything else."""
    if made.language == "plpgsql":
        first = parse_plpgsql(made.statement)["action"]["PLpgSQL_stmt_block"]["body"][0]
        text = f"SELECT {first['PLpgSQL_stmt_return']['expr']['PLpgSQL_expr']['query']}"
    else:
        text = made.body if made.language == "sql" else ""
    query: Node = made.atomic[0]["SelectStmt"] if made.atomic else parse_snippet(text)[0].node
    if len(query["targetList"]) != 1 or query.keys() & {"fromClause", "whereClause", "havingClause", "limitCount"}:
        raise KeyError
    target = query["targetList"][0]
    expression: Node = target["ResTarget"]["val"] if "ResTarget" in target else target["returnval"]
    return expression
