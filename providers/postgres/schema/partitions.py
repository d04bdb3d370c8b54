"""What the server itself says of partitions, and two servers may say otherwise: names of keys, identity. Pure.

In: two readings of one schema, the tables that have parents. Out: which rows are no difference of the schema, and why.
"""

from __future__ import annotations

import re
from collections.abc import Set

from providers.postgres.schema.consequences import called

Rows = dict[tuple[str, str], tuple[str, str]]  # by kind and name: what it belongs to, its SQL
NAMED_BY_VERSION, NAMED_BY_SERVER = "named by another major version", "a key of partitions, which the server names"
IDENTITY_BY_VERSION = "identity of partitions, which another major version has otherwise"
IDENTITY = re.compile(r" GENERATED (?:ALWAYS|BY DEFAULT) AS IDENTITY")


def said_by_the_server(before: Rows, after: Rows, other_major: bool, parts: Set[str]) -> dict[tuple[str, str], str]:
    """By kind and name."""
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    found = _renamed(before, after, {key for key in changed if key[0] == "constraint"}, other_major, parts)
    columns = (key for key in changed & before.keys() & after.keys() if other_major and key[0] == "column")
    return found | {
        key: IDENTITY_BY_VERSION
        for key in columns
        if called(before[key][0]) in parts and IDENTITY.sub("", before[key][1]) == IDENTITY.sub("", after[key][1])
    }


def _renamed(
    before: Rows, after: Rows, changed: Set[tuple[str, str]], other_major: bool, parts: Set[str]
) -> dict[tuple[str, str], str]:
    """Constraints that are there by another name: versions name a partition's part of a key differently, and pg_dump
    tells no name of what a key of or onto a whole tree gives each partition."""
    was, now = ({_nameless(key, rows[key]): key for key in changed & rows.keys()} for rows in (before, after))
    found: dict[tuple[str, str], str] = {}
    for text in was.keys() & now.keys():
        gone, new = was[text], now[text]
        onto = text.partition(" FOREIGN KEY (")[2].partition(") REFERENCES ")[2].partition("(")[0]
        of_tree = onto and not parts.isdisjoint([called(before[gone][0]), called(onto)])
        if reason := NAMED_BY_VERSION * other_major or NAMED_BY_SERVER * bool(of_tree):
            found |= {gone: reason, new: reason}
    return found


def _nameless(key: tuple[str, str], said: tuple[str, str]) -> str:
    return said[1].replace(f" {key[1].removeprefix(said[0])[1:]} ", " ", 1)
