"""Who may do what."""

from __future__ import annotations

from migrations_registry.analysis.model import COMPATIBILITY, SECURITY, label
from migrations_registry.analysis.parsing.arguments import type_text
from migrations_registry.analysis.parsing.nodes import object_name, relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.rules.definers import asks_caller
from migrations_registry.analysis.rules.roles import MANAGED
from migrations_registry.analysis.rules.sequences import is_own_sequence
from migrations_registry.analysis.state import State

GRANT_WIDE = rule(
    "MS-GRANT-WIDE",
    SECURITY,
    "grants {privileges}{on} to {roles}{extra}",
    "The least privilege, to the one role that needs it.",
    bad=(
        "GRANT SELECT ON orders TO anon",
        "GRANT ALL ON orders TO service_role",
        "GRANT SELECT ON orders TO PUBLIC",
        "GRANT SELECT ON orders TO service_role WITH GRANT OPTION",
        "GRANT EXECUTE ON FUNCTION spare() TO authenticated",
        "GRANT SELECT ON auth.users TO service_role",
        "CREATE TABLE x (a int); GRANT SELECT ON x TO anon",
        "CREATE VIEW x AS SELECT * FROM orders; GRANT SELECT ON x TO anon",
        "CREATE OR REPLACE FUNCTION spare() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS "
        "'SELECT 1'; GRANT EXECUTE ON FUNCTION spare() TO anon",
    ),
    good=(
        "GRANT SELECT ON orders TO service_role",
        "CREATE TABLE x (a int); GRANT ALL ON x TO service_role",
        "CREATE TABLE x (a int); ALTER TABLE x ENABLE ROW LEVEL SECURITY; GRANT SELECT, INSERT ON x TO authenticated",
        "CREATE VIEW x WITH (security_invoker = on) AS SELECT * FROM orders; GRANT SELECT ON x TO anon",
        "CREATE OR REPLACE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT EXECUTE ON FUNCTION x() TO anon",
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1'; "
        "REVOKE EXECUTE ON FUNCTION x() FROM public; GRANT EXECUTE ON FUNCTION x() TO authenticated",
    ),
)
DEFAULT_PRIVILEGES = rule(
    "MS-DEFAULT-PRIVILEGES",
    SECURITY,
    "grants {privileges} to {roles} on every object created later: each is open to them without anybody saying so",
    "Grant on each object by name.",
    bad=("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO service_role",),
    good=("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM public",),
)
GRANT_ROLE = rule(
    "MS-GRANT-ROLE",
    SECURITY,
    "makes {roles} a member of {privileges}: whatever {privileges} may do, they may too, now and later",
    "Grant the privileges that are needed.",
    bad=("GRANT service_role TO authenticated",),
    good=("GRANT SELECT ON orders TO service_role",),
)
REVOKE = rule(
    "MS-REVOKE",
    COMPATIBILITY,
    "revokes {privileges}{on} from {roles}: code that runs as it fails at once",
    "Deploy code that does not need it first.",
    bad=("REVOKE SELECT ON orders FROM service_role",),
    good=(
        "GRANT SELECT ON orders TO service_role",
        "CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE EXECUTE ON FUNCTION x() FROM public",
    ),
)
_WIDE = {"PUBLIC", "anon", "authenticated"}
_WHO = {
    "PUBLIC": "every role",
    "anon": "whoever holds the public API key",
    "authenticated": "whoever has signed in",
    "service_role": "whoever holds the secret API key",
}


@on("GrantStmt")
def grant(node: Node, state: State) -> None:
    """GRANT and REVOKE on objects."""
    roles, privileges = role_names(node["grantees"]), _privileges(node)
    all_objects = node["targtype"] == "ACL_TARGET_ALL_IN_SCHEMA"
    words = {"privileges": privileges, "roles": told(roles), "on": _on(node, all_objects)}
    if not node.get("is_grant"):
        if not _only_tightens_new(node, roles, state):
            state.see(REVOKE, **words)
        return
    of_server = node["objtype"] == "OBJECT_PARAMETER_ACL"  # a setting that only a superuser could change
    wide = "ALL" in privileges or node.get("grant_option") or all_objects or of_server or _WIDE & set(roles)
    if _of_platform(node) or (wide and not _opens_nothing(node, roles, state)):
        extra = ", who may pass it on (WITH GRANT OPTION)" if node.get("grant_option") else ""
        state.see(GRANT_WIDE, extra=extra, **words)


def _on(node: Node, all_objects: bool) -> str:
    """The objects, by name."""
    items = node.get("objects", [])
    names = [label(relation(each["RangeVar"]) if "RangeVar" in each else object_name(each)) for each in items]
    return f" on {'everything in ' if all_objects else ''}{', '.join(names)}" if names else ""


def _of_platform(node: Node) -> bool:
    return any(item.get("RangeVar", {}).get("schemaname") in MANAGED for item in node.get("objects", []))


def _opens_nothing(node: Node, roles: list[str], state: State) -> bool:
    """Only on what the file makes: tables and views that row security guards, functions with their caller's rights, or
    that everybody may call anyway.
    """
    if node.get("grant_option") or node["targtype"] != "ACL_TARGET_OBJECT":
        return False
    wide = bool(_WIDE & set(roles))
    return all(_is_guarded(item, node["objtype"], wide, state) for item in node["objects"])


def _is_guarded(item: Node, objects: str, wide: bool, state: State) -> bool:
    if "RangeVar" in item:
        name = relation(item["RangeVar"])
        is_new = state.is_new(name) and (not wide or state.identities.token(name) in state.secured_tables)
        return is_own_sequence(name, state) if objects == "OBJECT_SEQUENCE" else is_new
    name = object_name(item)
    if objects == "OBJECT_SCHEMA":
        return ("", name[1]) in state.made_names
    types = [type_text(each["TypeName"]) for each in item.get("ObjectWithArgs", {}).get("objargs", [])]
    known = [each for each in state.routines.get(name[1], []) if each.name in state.made_names]
    made = [each for each in known if each.name == name and list(each.types) == types]
    return any(not each.is_definer or not each.replaces or asks_caller(each) for each in made)


def _only_tightens_new(node: Node, roles: list[str], state: State) -> bool:
    """REVOKE … FROM PUBLIC on a function of this file is good practice; nobody uses its schemas and tables yet."""
    if node["objtype"] == "OBJECT_SCHEMA" and node["targtype"] == "ACL_TARGET_OBJECT":
        return all(("", object_name(item)[1]) in state.made_names for item in node["objects"])
    names = [
        item["ObjectWithArgs"]["objname"][-1]["String"]["sval"] for item in node["objects"] if "ObjectWithArgs" in item
    ]
    tables = [item["RangeVar"] for item in node["objects"] if "RangeVar" in item]
    known = bool(names) and all(name in state.routines for name in names)
    return known or (bool(tables) and all(state.is_new_relation(table) for table in tables))


@on("AlterDefaultPrivilegesStmt")
def default_privileges(node: Node, state: State) -> None:
    """ALTER DEFAULT PRIVILEGES GRANT."""
    action = node["action"]
    if action.get("is_grant"):
        state.see(DEFAULT_PRIVILEGES, privileges=_privileges(action), roles=told(role_names(action["grantees"])))


@on("GrantRoleStmt")
def grant_role(node: Node, state: State) -> None:
    """GRANT role TO role."""
    granted = ", ".join(item["AccessPriv"].get("priv_name", "?") for item in node["granted_roles"])
    words = {"privileges": granted, "roles": told(role_names(node["grantee_roles"])), "on": ""}
    state.see(GRANT_ROLE if node.get("is_grant") else REVOKE, **words)


def role_names(items: list[Node]) -> list[str]:
    """As the statement names them."""
    return [_role(item["RoleSpec"]) for item in items]


def told(roles: list[str]) -> str:
    """In words: those of the API with who acts as them."""
    return ", ".join(f"{role} ({_WHO[role]})" if role in _WHO else role for role in roles)


def _role(spec: Node) -> str:
    return str(spec.get("rolename", "PUBLIC" if spec["roletype"] == "ROLESPEC_PUBLIC" else "the current role"))


def _privileges(node: Node) -> str:
    return ", ".join(item["AccessPriv"].get("priv_name", "ALL").upper() for item in node.get("privileges", [])) or "ALL"
