"""Who may change the audit trail's rows, whichever way the right comes to them. Pure.

In: the fingerprint of a run, the ways to the table's rows. Out: rights, each with the role that has it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from backups.proof.guard_ways import Ways
from providers.postgres.schema.generations import OWNS_IT, REACH, Row

GRANT = re.compile(r"GRANT (.+?) ON (?:TABLE .+|FUNCTION .+|COLUMN (?P<column>.+)) TO (?P<role>.+)$")
OWNER = re.compile(r"; -- OWNER (.+)$")
SCHEMA = re.compile(r"CREATE SCHEMA (.+) AUTHORIZATION (.+)$")
PARAMETER = re.compile(r"parameter (.+) to (.+)$")
MEMBER = re.compile(r'("(?:[^"]|"")+"|\S+) in ("(?:[^"]|"")+"|\S+)')
DATABASE_OWNER = "pg_database_owner"
EVERY = {
    "pg_write_all_data": "UPDATE of every table",
    "pg_execute_server_program": "what the server's account may",
    "pg_write_server_files": "every file of the server",
    "pg_create_subscription": "rows by subscription",
}
SUPERUSER = "superuser "


def rights_over(rows: Sequence[Row], ways: Ways, routines: Collection[str]) -> set[str]:
    """For instance "UPDATE to anon", also by membership in a role that has it. `routines`: those of which to tell."""
    direct = {*_granted(rows, ways), *_owned(rows, ways), *_called(rows, routines), *_of_schema(rows, ways)}
    direct |= {(right, role) for role, right in EVERY.items()}
    members = [match.groups() for row in rows if row[0] == "role membership" and (match := MEMBER.fullmatch(row[1]))]
    members += [(row[3].removeprefix("-- "), DATABASE_OWNER) for row in rows if (row[0], row[1]) == (REACH, OWNS_IT)]
    reached = direct
    while more := {(right, who) for who, role in members for right, has in reached if has == role} - reached:
        reached = reached | more
    roles = {row[1]: row[3] for row in rows if row[0] == "role"}
    mighty = {row[1].removeprefix(SUPERUSER) for row in rows if row[0] == REACH and row[1].startswith(SUPERUSER)}
    mighty |= {name for name, text in roles.items() if " SUPERUSER" in text}
    powers = {("past row security", who) for _, who in reached if " BYPASSRLS" in roles.get(who, "")}
    powers |= {("any role", name) for name, text in roles.items() if " CREATEROLE" in text}
    found = {(right, who) for right, who in {*reached, *powers, *_set(rows)} if who not in EVERY.keys() | mighty}
    return {f"{right} to {who}" for right, who in found | {("everything", who) for who in mighty}}


def _granted(rows: Sequence[Row], ways: Ways) -> Iterator[tuple[str, str]]:
    rows = [row for row in rows if row[0] == "grants"]
    for of, lets in ways.doors.items():
        through = f" through {of}" if of != ways.full else ""
        for right, column, role in _grants(rows, of):
            if right in lets:
                yield f"{right}{f' of {column}' if column else ''}{through}", role


def _grants(rows: Sequence[Row], of: str) -> Iterator[tuple[str, str, str]]:
    lines = [line for row in rows if row[0] == "grants" and row[2] == of for line in row[3].split("; ")]
    for match in filter(None, map(GRANT.match, lines)):
        for right in match[1].replace(" WITH GRANT OPTION", "").split(", "):
            yield right, match["column"] or "", match["role"]


def _owned(rows: Sequence[Row], ways: Ways) -> Iterator[tuple[str, str]]:
    for row in rows:
        if row[0] in ("table", "view") and row[1] in ways.relations and (match := OWNER.search(row[3])):
            yield "all that its owner may" + (f" through {row[1]}" if row[1] != ways.full else ""), match[1]


def _of_schema(rows: Sequence[Row], ways: Ways) -> Iterator[tuple[str, str]]:
    for row in rows:
        if row[0] == "schema" and ways.full.startswith(f"{row[1]}.") and (match := SCHEMA.fullmatch(row[3])):
            yield "all that its schema's owner may", match[2]


def _called(rows: Sequence[Row], routines: Collection[str]) -> Iterator[tuple[str, str]]:
    """PUBLIC may, where nobody said otherwise."""
    told = {row[2] for row in rows if row[0] == "grants"}
    for name in routines:
        granted = _grants(rows, name) if name in told else iter([("EXECUTE", "", "PUBLIC")])
        yield from ((f"EXECUTE of {name}", role) for right, _, role in granted if right == "EXECUTE")


def _set(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    for row in rows:
        if row[0] == REACH and (match := PARAMETER.fullmatch(row[1])):
            yield from ((f"{right} of {match[1]}", match[2]) for right in row[3].removeprefix("-- ").split(", "))
