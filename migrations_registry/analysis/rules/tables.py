"""New tables: what the file may later do to them without harm, and whether the API can read them."""

from __future__ import annotations

from migrations_registry.analysis.model import CONVENTION, SECURITY, Name, label
from migrations_registry.analysis.parsing.nodes import dotted, inner_nodes, relation, strings, type_name
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.rules.drops import RECREATE_TABLE
from migrations_registry.analysis.rules.views import reads_accounts
from migrations_registry.analysis.state import EVERY, State

RLS_MISSING = rule(
    "MS-RLS-MISSING",
    SECURITY,
    "table {name} has no row security: whoever holds the public API key can read and write it as soon as a role of the "
    "API is granted it",
    "ALTER TABLE {name} ENABLE ROW LEVEL SECURITY; with a policy for each role, in the same file.",
    bad=(
        "CREATE TABLE x (id uuid); GRANT SELECT ON x TO service_role; CREATE POLICY p ON orders USING (false)",
        "CREATE TABLE x AS SELECT 1 AS a; CREATE POLICY p ON orders USING (false)",
    ),
    good=(
        "CREATE TABLE x (id uuid); ALTER TABLE x ENABLE ROW LEVEL SECURITY",
        "CREATE TEMP TABLE x (a int)",
        "CREATE TABLE x AS SELECT 1 AS a; DROP TABLE x",
    ),
)


NO_GRANT = rule(
    "MC-NO-API-GRANT",
    CONVENTION,
    "no role of the API is granted anything on {name}, and new tables of Supabase get no grants by themselves since "
    "October 2026: its policies let nobody in",
    "GRANT to anon, authenticated or service_role, as its policies say, in the same file.",
    bad=("CREATE TABLE x (id uuid); ALTER TABLE x ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON x USING (id IS NULL)",),
    good=(
        "CREATE TABLE x (id uuid); ALTER TABLE x ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON x USING (id IS NULL); "
        "GRANT SELECT ON x TO service_role",
        "CREATE TABLE x (id uuid); ALTER TABLE x ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY p ON orders USING (id < 0)",
    ),
)


@on("CreateStmt")
def create_table(node: Node, state: State) -> None:
    """CREATE TABLE: from here on the file owns it, unless IF NOT EXISTS may have found another one."""
    name = relation(node["relation"])
    if name in state.dropped and name not in state.created:
        _recreated(name, state)
    surely = not node.get("if_not_exists") or (state.facts is not None and name not in state.facts.tables)
    state.made(node["relation"], surely=surely, on_commit=node.get("oncommit", ""))
    for parent in (item["RangeVar"] for item in node.get("inhRelations", [])):
        state.relate(name, relation(parent))
        state.relate(relation(parent), name)
    for element in node.get("tableElts", []):
        if "TableLikeClause" in element:
            state.relate(name, relation(element["TableLikeClause"]["relation"]))
        elif "typeName" in element.get("ColumnDef", {}):
            state.column_types[name, element["ColumnDef"]["colname"]] = type_name(element["ColumnDef"]["typeName"])
            state.relate(name, dotted(strings(element["ColumnDef"]["typeName"]["names"])))
    is_exposed = not node.get("inhRelations") and _is_exposed(name, state)
    if is_exposed and ("policy", name) in state.uses and not {("grant", name), ("grant", EVERY)} & state.uses:
        state.see(NO_GRANT, name=label(name))


def _is_exposed(name: Name, state: State, query: Node | None = None) -> bool:
    """In the schema that the API serves; `query`: what fills it."""
    if name[0] == "public" and state.identities.token(name) not in state.secured_tables:
        grave = state.exposed or (query is not None and reads_accounts(query))
        state.see(RLS_MISSING, SECURITY if grave else CONVENTION, name=label(name))
    return name[0] == "public"


def _recreated(name: tuple[str, str], state: State) -> None:
    if not state.in_transaction:
        state.see(RECREATE_TABLE, name=label(name))


@on("CreateForeignTableStmt")
def create_foreign_table(node: Node, state: State) -> None:
    """CREATE FOREIGN TABLE."""
    base = node["base"]
    state.made(base["relation"], surely=not base.get("if_not_exists"))


@on("CreateTableAsStmt")
def create_table_as(node: Node, state: State) -> None:
    """CREATE TABLE AS, CREATE MATERIALIZED VIEW."""
    name = relation(node["into"]["rel"])
    if name in state.dropped:
        _recreated(name, state)
    if node["objtype"] == "OBJECT_TABLE":
        _is_exposed(name, state, node)
    state.made(node["into"]["rel"], surely=not node.get("if_not_exists"), on_commit=node["into"].get("onCommit", ""))


@on("SelectStmt")
def select_into(node: Node, state: State) -> None:
    """SELECT … INTO."""
    if "intoClause" in node:
        _is_exposed(relation(node["intoClause"]["rel"]), state, node)
        state.made(node["intoClause"]["rel"])


@on("CreateSeqStmt")
def create_sequence(node: Node, state: State) -> None:
    """CREATE SEQUENCE."""
    state.made(node["sequence"], surely=not node.get("if_not_exists"))


@on("ViewStmt")
def create_view(node: Node, state: State) -> None:
    """CREATE VIEW."""
    for kind, inner in inner_nodes(node["query"]):
        if kind == "RangeVar":
            state.relate(relation(node["view"]), relation(inner))
    if not node.get("replace"):
        state.made(node["view"])
