"""A column as it was, from the words in which the catalogue told it: added again, or changed back. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrations_registry.fingerprint import Fingerprint, SchemaObject
from migrations_registry.undo.action import CHECKS, COLUMNS, RETYPED, Action, plain

COLUMN = re.compile(
    r"^ALTER TABLE .+? ADD COLUMN (?P<name>\"(?:[^\"]|\"\")+\"|\S+) (?P<type>.+?)(?P<required> NOT NULL)?"
    r"(?P<identity> GENERATED (?:ALWAYS|BY DEFAULT) AS IDENTITY)?(?P<computed> GENERATED ALWAYS AS .+ STORED)?$",
    re.DOTALL,
)


def column_again(was: SchemaObject, before: Fingerprint) -> Iterator[Action]:
    """Added with its default, so that rows added since have a value, and required only once its rows are back."""
    text, match = plain(was), COLUMN.match(plain(was))
    if match is None:
        yield Action(COLUMNS, was.name, (), f"The column {was.name} cannot be made again.")
        return
    usual = before.by_key.get(("default", was.name))
    with_default = f" DEFAULT {plain(usual).partition(' SET DEFAULT ')[2]}" if usual else ""
    loose = text if match["identity"] else text.replace(match["required"] or "\0", "", 1)
    yield Action(
        COLUMNS, f"column {was.name}", ((loose + with_default,), (loose,)), f"The column {was.name} is not back."
    )
    if match["required"] and not match["identity"]:
        yield _required(was, match["name"])


def _required(was: SchemaObject, name: str) -> Action:
    note = f"The column {was.name} may be empty now: rows that were added since have no value for it."
    return Action(
        CHECKS, f"NOT NULL of {was.name}", ((f"ALTER TABLE {was.of} ALTER COLUMN {name} SET NOT NULL",),), note
    )


def column_back(was: SchemaObject, here: SchemaObject, before: Fingerprint) -> Iterator[Action]:
    """Type first, its default taken off meanwhile; what is required once the old values are back."""
    old, new = COLUMN.match(plain(was)), COLUMN.match(plain(here))
    if old is None or new is None or old["computed"] != new["computed"]:
        yield Action(RETYPED, was.name, (), f"The column {was.name} cannot be changed back.")
        return
    name, alter = old["name"], f"ALTER TABLE {was.of} ALTER COLUMN {old['name']}"
    if old["type"] != new["type"]:
        usual = before.by_key.get(("default", was.name))
        again = (plain(usual),) if usual else ()
        way = (
            f"{alter} DROP DEFAULT",
            f"{alter} TYPE {old['type']} USING {name}::{old['type'].partition(' COLLATE ')[0]}",
        )
        yield Action(
            RETYPED, f"type of {was.name}", ((*way, *again),), f"The type of {was.name} cannot be changed back."
        )
    yield from _identity_back(was, alter, old["identity"], new["identity"])
    if new["required"] and not old["required"]:
        yield Action(RETYPED, f"NOT NULL of {was.name}", ((f"{alter} DROP NOT NULL",),))
    if old["required"] and not new["required"]:
        yield _required(was, name)


def _identity_back(was: SchemaObject, alter: str, old: str | None, new: str | None) -> Iterator[Action]:
    """Once it is required again: an identity column has to be."""
    if old == new:
        return
    usual = (old or "").partition(" AS IDENTITY")[0].strip()
    way = f"{alter} DROP IDENTITY" if not old else f"{alter} {'SET' if new else 'ADD'} {usual}"
    text = way if new else f"{way} AS IDENTITY"
    yield Action(CHECKS, f"identity of {was.name}", ((text,),), f"The column {was.name} numbers itself otherwise.")
