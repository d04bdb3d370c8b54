"""Views: options that a replacement loses, and whose rights they run with."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, COMPATIBILITY, CONVENTION, SECURITY, Name, label
from migrations_registry.analysis.parsing.nodes import inner_nodes, is_on, options, relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, on_alter, rule
from migrations_registry.analysis.state import State

REPLACE_VIEW = rule(
    "MC-REPLACE-VIEW",
    COMPATIBILITY,
    "replacing view {name} resets its options: security_invoker is lost",
    "CREATE OR REPLACE VIEW {name} WITH (security_invoker = on) AS …",
    lock=AX,
    bad=("CREATE OR REPLACE VIEW recent AS SELECT id, created_at FROM orders",),
    good=(
        "CREATE OR REPLACE VIEW recent WITH (security_invoker = on) AS SELECT id, created_at FROM orders",
        "CREATE VIEW x WITH (security_invoker = on) AS SELECT 1 AS a",
    ),
)
VIEW_DEFINER = rule(
    "MS-VIEW-DEFINER",
    SECURITY,
    "whoever may read view {name} sees what its owner sees: row security of what it reads does not apply",
    "CREATE VIEW … WITH (security_invoker = on) AS …: it reads as whoever asks.",
    versions="security_invoker since 15",
    bad=("CREATE VIEW x AS SELECT * FROM auth.users", "ALTER VIEW recent SET (security_invoker = off)"),
    good=("CREATE VIEW x WITH (security_invoker = on) AS SELECT * FROM auth.users",),
)
VIEW_BARRIER = rule(
    "MS-VIEW-BARRIER",
    SECURITY,
    "whoever reads view {name} may see rows that it leaves out: a function in their own condition can be called with "
    "those first",
    "WITH (security_barrier = on)",
    lock=AX,
    bad=("ALTER VIEW recent SET (security_barrier = off)",),
    good=("ALTER VIEW recent SET (security_barrier = on)",),
)

_SECRET = {"auth", "vault"}


@on("ViewStmt")
def view(node: Node, state: State) -> None:
    """CREATE [OR REPLACE] VIEW."""
    name = relation(node["view"])
    if is_on(options(node.get("options", [])).get("security_invoker", False)) or name[0] == "pg_temp":
        return
    if node.get("replace") and not state.is_new(name):
        state.see(REPLACE_VIEW, name=label(name))
    _as_its_owner(name, node, state)


@on("CreateTableAsStmt")
def materialized_view(node: Node, state: State) -> None:
    """CREATE MATERIALIZED VIEW: no row security holds for what it keeps."""
    if node["objtype"] == "OBJECT_MATVIEW":
        _as_its_owner(relation(node["into"]["rel"]), node, state)


def _as_its_owner(name: Name, node: Node, state: State) -> None:
    if name[0] == "public":
        grave = reads_accounts(node) or state.exposed
        state.see(VIEW_DEFINER, SECURITY if grave else CONVENTION, name=label(name))


def reads_accounts(node: Node) -> bool:
    """Whether a query names what the platform keeps of people and secrets."""
    return any(kind == "RangeVar" and inner.get("schemaname") in _SECRET for kind, inner in inner_nodes(node))


@on_alter("SetRelOptions", "ResetRelOptions")
def view_options(command: Node, alter: Node, state: State) -> None:
    """ALTER VIEW … SET (security_invoker = off), RESET; the same of security_barrier."""
    given = options(command.get("def", {}).get("List", {}).get("items", []))
    for option, found in (("security_invoker", VIEW_DEFINER), ("security_barrier", VIEW_BARRIER)):
        is_off = command["subtype"] == "AT_ResetRelOptions" or not is_on(given.get(option, True))
        if option in given and is_off:
            state.see(found, name=label(relation(alter["relation"])))
