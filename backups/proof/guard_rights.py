"""Who may change the audit trail's rows, whichever way the right comes to them. Pure.

In: the fingerprint of a run, the table as it quotes it. Out: rights, each with the role that has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from providers.postgres.schema.generations import Row

MIGHTY = frozenset(["UPDATE", "DELETE", "TRUNCATE", "TRIGGER"])
GRANT = re.compile(r"GRANT (.+?) ON (?:TABLE .+|COLUMN (?P<column>.+)) TO (?P<role>.+)$")
OWNER = re.compile(r"; -- OWNER (.+)$")
MEMBER = re.compile(r'("(?:[^"]|"")+"|\S+) in ("(?:[^"]|"")+"|\S+)')
ANY_TABLE = {"pg_write_all_data": "UPDATE of every table", "pg_execute_server_program": "what the server's account may"}


def rights_over(rows: Sequence[Row], full: str) -> set[str]:
    """For instance "UPDATE to anon", also by membership in a role that has it."""
    direct = {*_granted(rows, full), *_owned(rows, full), *((right, role) for role, right in ANY_TABLE.items())}
    members = [match.groups() for row in rows if row[0] == "role membership" and (match := MEMBER.fullmatch(row[1]))]
    reached = direct
    while more := {(right, who) for who, role in members for right, has in reached if has == role} - reached:
        reached = reached | more
    past = {row[1] for row in rows if row[0] == "role" and " BYPASSRLS" in row[3]}
    powers = {("past row security", who) for _, who in reached if who in past}
    mighty = {("everything", row[1]) for row in rows if row[0] == "role" and " SUPERUSER" in row[3]}
    return {f"{right} to {who}" for right, who in {*reached, *powers, *mighty} if who not in ANY_TABLE}


def _granted(rows: Sequence[Row], full: str) -> Iterator[tuple[str, str]]:
    lines = [line for row in rows if row[0] == "grants" and row[2] == full for line in row[3].split("; ")]
    for match in filter(None, map(GRANT.match, lines)):
        for right in match[1].replace(" WITH GRANT OPTION", "").split(", "):
            if right in MIGHTY:
                column = f" of {match['column']}" if match["column"] else ""
                yield f"{right}{column}", match["role"]


def _owned(rows: Sequence[Row], full: str) -> Iterator[tuple[str, str]]:
    for row in rows:
        if row[0] == "table" and row[1] == full and (match := OWNER.search(row[3])):
            yield "all that its owner may", match[1]
