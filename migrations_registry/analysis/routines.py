"""A function or procedure whose body can be read: what a call of it would run; and what a relation will run.

In: a CREATE FUNCTION node and its text. Out: Routine.
"""

from __future__ import annotations

from dataclasses import dataclass

from migrations_registry.analysis.model import Name, label
from migrations_registry.analysis.parsing.arguments import Given, passes, type_text
from migrations_registry.analysis.parsing.nodes import options, strings, value
from migrations_registry.analysis.parsing.parser import Node

_INPUTS = {"FUNC_PARAM_IN", "FUNC_PARAM_INOUT", "FUNC_PARAM_DEFAULT", "FUNC_PARAM_VARIADIC"}


@dataclass(frozen=True, slots=True, eq=False)
class Routine:
    """`statement`: its whole CREATE FUNCTION; `fewest`, `most`: arguments that a call may give; `types`: of those;
    `row_of`: the type of its only argument, for calls written as a column; `path`: its own search_path; `unread`: why
    nobody can read it; `is_definer`: SECURITY DEFINER; `replaces`: another one may have been there, with its grants.
    """

    name: Name
    language: str
    body: str
    statement: str
    volatility: str
    atomic: tuple[Node, ...] = ()
    defaults: tuple[Node, ...] = ()
    fewest: int = 0
    most: int | None = None
    row_of: str = ""
    path: tuple[str, ...] | None = None
    types: tuple[str, ...] = ()
    unread: str = ""
    is_definer: bool = False
    replaces: bool = False

    @property
    def label(self) -> str:
        """As a call of it is written; public is left out."""
        return f"{label(self.name)}()"

    def takes(self, given: Given) -> bool:
        """Whether a call with such arguments may mean it."""
        if given is None or self.most is None:
            return given is None or self.fewest <= len(given)
        return self.fewest <= len(given) <= self.most and all(map(passes, given, self.types))


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a relation runs when `events` happen to it: functions by name, and nodes with expressions."""

    events: frozenset[str]
    what: str
    names: tuple[tuple[str, ...], ...]
    nodes: tuple[Node, ...]


def routine(node: Node, statement: str, schema: str) -> Routine:
    """What a CREATE FUNCTION or PROCEDURE makes; `schema`: where an unqualified name is made."""
    given = options(node.get("options", []))
    parts = strings(node["funcname"])
    texts = strings(given["as"]["List"]["items"]) if isinstance(given.get("as"), dict) else []
    inputs = _inputs(node)
    variadic = any(each["mode"] == "FUNC_PARAM_VARIADIC" for each in inputs)
    return Routine(
        name=(parts[-2] if len(parts) > 1 else schema, parts[-1]),
        language=str(given.get("language", "sql")).lower(),
        body=texts[0] if texts else "",
        statement=statement,
        volatility=str(given.get("volatility", "volatile")),
        atomic=_atomic(node),
        defaults=tuple(each["defexpr"] for each in inputs if "defexpr" in each),
        fewest=sum("defexpr" not in each and each["mode"] != "FUNC_PARAM_VARIADIC" for each in inputs),
        most=None if variadic else len(inputs),
        row_of=_row_type(inputs),
        types=tuple(type_text(each["argType"]) for each in inputs),
        path=_own_path(node),
        is_definer=given.get("security") is True,
        replaces=bool(node.get("replace")),
    )


def _inputs(node: Node) -> list[Node]:
    given = [item["FunctionParameter"] for item in node.get("parameters", [])]
    return [each for each in given if each["mode"] in _INPUTS or node.get("is_procedure")]


def _atomic(node: Node) -> tuple[Node, ...]:
    """The statements of a BEGIN ATOMIC body, or the expression of RETURN."""
    if "ReturnStmt" in node.get("sql_body", {}):
        return ({"SelectStmt": {"targetList": [node["sql_body"]["ReturnStmt"]]}},)
    blocks = node.get("sql_body", {}).get("List", {}).get("items", [])
    return tuple(item for block in blocks for item in block.get("List", {}).get("items", []))


def _row_type(inputs: list[Node]) -> str:
    names = strings(inputs[0]["argType"].get("names", [])) if len(inputs) == 1 else []
    return names[-1] if names and names[0] != "pg_catalog" else ""


def _own_path(node: Node) -> tuple[str, ...] | None:
    """SET search_path as an option of the function."""
    for item in node.get("options", []):
        setting = item["DefElem"].get("arg", {}).get("VariableSetStmt", {})
        if setting.get("name") == "search_path" and setting["kind"] == "VAR_SET_VALUE":
            return tuple(str(value(argument)) for argument in setting.get("args", []))
    return None
