"""Where rules enlist: their rows in CATALOGUE, their functions by node type, by ALTER subcommand, after each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from migrations_registry.analysis.model import Name, Rule
from migrations_registry.analysis.parsing.parser import Node

if TYPE_CHECKING:
    from migrations_registry.analysis.state import State

Handler = Callable[[Node, "State"], None]
AlterHandler = Callable[[Node, Node, "State"], None]
AfterHandler = Callable[[str, Node, list[tuple[Name, str]], "State"], None]

CATALOGUE: dict[str, Rule] = {}
HANDLERS: dict[str, list[Handler]] = {}
ALTER: dict[str, list[AlterHandler]] = {}
AFTER: list[AfterHandler] = []


def rule(
    rule_id: str,
    severity: str,
    message: str,
    safe_form: str,
    *,
    lock: str | None = None,
    rewrite: bool = False,
    scan: bool = False,
    versions: str = "",
    bad: tuple[str, ...] = (),
    good: tuple[str, ...] = (),
) -> Rule:
    """Enlist one row of the catalogue. A rule id is used once."""
    if rule_id in CATALOGUE:
        raise ValueError(f"rule {rule_id} is declared twice")
    CATALOGUE[rule_id] = row = Rule(rule_id, severity, message, safe_form, lock, rewrite, scan, versions, bad, good)
    return row


def on(*kinds: str) -> Callable[[Handler], Handler]:
    """The function judges statements of these node types: fn(node, state)."""

    def enlist(handler: Handler) -> Handler:
        for kind in kinds:
            HANDLERS.setdefault(kind, []).append(handler)
        return handler

    return enlist


def on_alter(*subtypes: str) -> Callable[[AlterHandler], AlterHandler]:
    """The function judges these subcommands of ALTER TABLE: fn(command, alter_statement, state)."""

    def enlist(handler: AlterHandler) -> AlterHandler:
        for subtype in subtypes:
            ALTER.setdefault(f"AT_{subtype}", []).append(handler)
        return handler

    return enlist
