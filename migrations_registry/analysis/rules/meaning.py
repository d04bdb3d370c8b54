"""What queries mean: casts, operators, text search, collations; comments that an API obeys; who is told of rows."""

from __future__ import annotations

import re

from migrations_registry.analysis.model import COMPATIBILITY, DATA, SECURITY, label
from migrations_registry.analysis.parsing.depth import TooDeep, bounded_tree
from migrations_registry.analysis.parsing.nodes import dotted, object_name, strings, type_name
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.state import State

QUERY_MEANING = rule(
    "MC-QUERY-MEANING",
    COMPATIBILITY,
    "changes {what}: statements that do not mention it may give another answer, another order or an error, and what "
    "indexes and computed columns hold was made the old way",
    "Make a new one under its own name and let code ask for it.",
    bad=(
        "CREATE CAST (text AS integer) WITH INOUT AS IMPLICIT",
        "ALTER TEXT SEARCH CONFIGURATION simple ALTER MAPPING FOR word WITH simple",
        "ALTER TEXT SEARCH DICTIONARY simple (ACCEPT = false)",
        "ALTER OPERATOR = (int, int) SET (RESTRICT = NONE)",
    ),
    good=(
        "CREATE CAST (text AS integer) WITH INOUT",
        "CREATE OPERATOR CLASS x FOR TYPE int USING btree AS OPERATOR 1 <",
        "CREATE TEXT SEARCH CONFIGURATION x (COPY = simple); ALTER TEXT SEARCH CONFIGURATION x ALTER MAPPING FOR word "
        "WITH simple",
    ),
)
COLLATION_VERSION = rule(
    "MV-COLLATION-VERSION",
    DATA,
    "says that every index over {what} is sorted as the server sorts today, without looking: one that is not misses "
    "rows and lets duplicates in",
    "REINDEX what depends on it first.",
    bad=('ALTER COLLATION "C" REFRESH VERSION', "ALTER DATABASE template1 REFRESH COLLATION VERSION"),
    good=("SELECT 1",),
)
PUBLISH_ALL = rule(
    "MC-PUBLISH-ALL",
    COMPATIBILITY,
    "publication {name} sends the rows of every table to whoever follows it; in a table without a primary key no row "
    "can be changed or deleted any more",
    "Name the tables.",
    versions="TABLES IN SCHEMA since 15",
    bad=("CREATE PUBLICATION x FOR ALL TABLES", "CREATE PUBLICATION x FOR TABLES IN SCHEMA public"),
    good=("CREATE PUBLICATION x FOR TABLE orders", "CREATE PUBLICATION x"),
)
PUBLISH_OTHER = rule(
    "MC-PUBLISH-OTHER",
    COMPATIBILITY,
    "publication {name} sends something else from now on: realtime and replicas silently miss changes",
    "Name who listens first.",
    bad=("ALTER PUBLICATION feed SET (publish = 'insert')",),
    good=("ALTER PUBLICATION feed ADD TABLE customers",),
)
SUBSCRIPTION = rule(
    "MC-SUBSCRIPTION",
    COMPATIBILITY,
    "changes subscription {name}: its tables silently stop following the other server, or copy its rows again",
    "By hand, with both servers in view.",
    bad=(
        "CREATE SUBSCRIPTION x CONNECTION 'dbname=nowhere' PUBLICATION feed WITH (connect = false); "
        "ALTER SUBSCRIPTION x SET (slot_name = NONE); DROP SUBSCRIPTION x",
    ),
    good=("SELECT 1",),
)
SECURITY_LABEL = rule(
    "MS-SECURITY-LABEL",
    SECURITY,
    "changes a security label: a module of the server decides by it who sees what",
    "By whoever runs that module.",
    bad=("SECURITY LABEL ON TABLE orders IS 'x'",),
    good=("COMMENT ON TABLE orders IS 'x'",),
)

API_COMMENT = rule(
    "MC-API-COMMENT",
    COMPATIBILITY,
    "the comment tells the GraphQL API to give {name} other names, or to show something else: clients that ask for "
    "what was there fail",
    "Tell the clients first, or comment so only on what the file makes.",
    bad=(
        "COMMENT ON SCHEMA app IS '@graphql({\"inflect_names\": true})'",
        'COMMENT ON TABLE orders IS \'Sold. @graphql({"name": "Sale"})\'',
        "COMMENT ON COLUMN orders.note IS E'The note\\n@omit'",
    ),
    good=(
        'COMMENT ON TABLE orders IS \'@graphql({"totalCount": {"enabled": true}})\'',
        "COMMENT ON TABLE orders IS 'to name@omit.example'",
        "CREATE TABLE x (a int); COMMENT ON COLUMN x.a IS '@omit'",
    ),
)
_TAG = re.compile(r"^@(?:omit|name|behavior|fieldName|foreignFieldName)\b|@graphql\s*+\(([^)]*+)", re.MULTILINE)
_ADDS = {"totalCount", "aggregate", "description"}
_OF_RELATIONS = {f"OBJECT_{kind}" for kind in ("TABLE", "VIEW", "MATVIEW", "FOREIGN_TABLE")}
_IN_RELATIONS = {"OBJECT_COLUMN", "OBJECT_TABCONSTRAINT"}


@on("CommentStmt")
def api_comment(node: Node, state: State) -> None:
    """COMMENT with a directive of pg_graphql or PostGraphile."""
    found = _TAG.search(node.get("comment", ""))
    if not found or _only_adds(found[1] or ""):
        return
    kind, item = node["objtype"], node["object"]
    parts = strings(item.get("List", {}).get("items", []))
    name = dotted(parts[:-1]) if kind in _IN_RELATIONS else object_name(item)
    if kind == "OBJECT_SCHEMA":
        name = "", name[1]
    is_relation = kind in _IN_RELATIONS | _OF_RELATIONS
    if not (state.is_new(name) if is_relation else name in state.made_names or name in state.made_types):
        state.see(API_COMMENT, name=".".join(parts) or label(name).removeprefix("."))


def _only_adds(directive: str) -> bool:
    try:
        given = bounded_tree(directive.encode())
    except (ValueError, TooDeep):
        return False
    return isinstance(given, dict) and given.keys() <= _ADDS


@on("CreateCastStmt")
def cast(node: Node, state: State) -> None:
    """CREATE CAST that PostgreSQL applies by itself."""
    if node["context"] != "COERCION_EXPLICIT":
        pair = f"{type_name(node['sourcetype'])} becomes {type_name(node['targettype'])}"
        state.see(QUERY_MEANING, what=f"when {pair} by itself")


@on("CreateOpClassStmt", "CreateConversionStmt")
def default_of(node: Node, state: State) -> None:
    """Another default operator class or conversion."""
    if node.get("isDefault") or node.get("def"):
        state.see(QUERY_MEANING, what="how PostgreSQL compares or converts by itself")


@on("AlterOperatorStmt", "AlterOpFamilyStmt", "AlterTypeStmt", "CreateTransformStmt")
def existing(node: Node, state: State) -> None:
    """ALTER OPERATOR [FAMILY], ALTER TYPE … SET, CREATE TRANSFORM."""
    name = strings(node.get("opername", {}).get("objname") or node.get("opfamilyname") or node.get("typeName") or [])
    state.see(QUERY_MEANING, what=".".join(name) or type_name(node["type_name"]))


@on("AlterTSConfigurationStmt", "AlterTSDictionaryStmt")
def text_search(node: Node, state: State) -> None:
    """ALTER TEXT SEARCH of what the file did not make."""
    name = strings(node.get("cfgname") or node["dictname"])
    if (name[-2] if len(name) > 1 else state.scope.schemas[0], name[-1]) not in state.made_types:
        state.see(QUERY_MEANING, what=f"text search by {'.'.join(name)}")


@on("AlterCollationStmt", "AlterDatabaseRefreshCollStmt")
def collation_version(node: Node, state: State) -> None:
    """REFRESH [COLLATION] VERSION."""
    state.see(COLLATION_VERSION, what=node.get("dbname") or ".".join(strings(node["collname"])))


@on("CreatePublicationStmt", "AlterPublicationStmt")
def publish(node: Node, state: State) -> None:
    """CREATE PUBLICATION of more than named tables; ADD, SET."""
    kinds = {item["PublicationObjSpec"]["pubobjtype"] for item in node.get("pubobjects", [])}
    grows = node.get("action") != "AP_DropObjects"
    if node.get("for_all_tables") or (grows and kinds - {"PUBLICATIONOBJ_TABLE"}):
        state.see(PUBLISH_ALL, name=node["pubname"])


@on("AlterPublicationStmt")
def publish_other(node: Node, state: State) -> None:
    """ALTER PUBLICATION … SET (…)."""
    if "options" in node:
        state.see(PUBLISH_OTHER, name=node["pubname"])


@on("AlterSubscriptionStmt", "DropSubscriptionStmt")
def subscription(node: Node, state: State) -> None:
    """ALTER, DROP SUBSCRIPTION."""
    state.see(SUBSCRIPTION, name=node["subname"])


@on("SecLabelStmt")
def security_label(node: Node, state: State) -> None:
    """SECURITY LABEL."""
    state.see(SECURITY_LABEL)
