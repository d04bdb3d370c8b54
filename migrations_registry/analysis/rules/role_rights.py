"""Rights that a role or a function gets or loses without a GRANT: by its groups, its powers, or whose it runs with."""

from __future__ import annotations

from migrations_registry.analysis.parsing.nodes import options, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on
from migrations_registry.analysis.rules.grants import GRANT_ROLE, REVOKE, role_names, told
from migrations_registry.analysis.rules.roles import POWERS, ROLE
from migrations_registry.analysis.state import State


@on("CreateRoleStmt")
def born_into(node: Node, state: State) -> None:
    """CREATE ROLE … IN ROLE: as GRANT to it."""
    if granted := _members(node, "addroleto"):
        state.see(GRANT_ROLE, roles=node["role"], privileges=told(granted))


@on("AlterRoleStmt")
def changes(node: Node, state: State) -> None:
    """ALTER GROUP … ADD, DROP USER; ALTER ROLE without a power that it may have had, or with its groups' rights."""
    name = node["role"].get("rolename", "the current role")
    if members := _members(node, "rolemembers"):
        is_added = node.get("action", 1) > 0
        state.see(GRANT_ROLE if is_added else REVOKE, privileges=told([name]), roles=told(members), on="")
    given = options(node.get("options", []))
    lost = [power for power in (*POWERS, "inherit") if given.get(power) is False]
    if lost:
        words = ", ".join(power.removeprefix("is").upper() for power in lost)
        state.see(REVOKE, privileges=words, roles=told([name]), on="")
    if given.get("inherit") is True:
        state.see(ROLE, name=name, what="has all rights of the roles that it is a member of by itself (INHERIT)")


@on("AlterFunctionStmt")
def as_caller(node: Node, state: State) -> None:
    """ALTER FUNCTION … SECURITY INVOKER."""
    if options(node.get("actions", [])).get("security") is False:
        name = ".".join(part for part in strings(node["func"]["objname"]) if part != "public")
        state.see(REVOKE, privileges="its owner's rights", on=f" in {name}()", roles="whoever calls it")


def _members(node: Node, option: str) -> list[str]:
    return [name for item in node.get("options", []) for name in _listed(item["DefElem"], option)]


def _listed(element: Node, option: str) -> list[str]:
    return role_names(element["arg"]["List"]["items"]) if element["defname"] == option else []
