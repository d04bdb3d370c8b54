"""Generations of a fingerprint: what an earlier one did not read, so that readings of both can be compared. Pure.

In: rows (kind, name, belongs to, SQL). Out: the same as an earlier generation would have read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

Row = Sequence[str]
COMPUTED = "computed values"  # the kind of the rows that tell of what columns hold, not of a definition
MARK = "reading"  # the kind of the row that says the generation; the first has none
REACH = "reach"  # what else decides who may change rows: views the server writes through, parameters, superusers
OWNS_IT = "owner of the database"
EVERY_ROLE = ("settings", "of every role everywhere")
# What belongs to the server, its roles or its platform, so that no dump of a database brings it.
AROUND = frozenset(
    [
        "role",
        "role membership",
        "settings",
        "database grants",
        "extension body",
        "extension grants",
        "managed schema",
        "large objects",
        "cron job",
        COMPUTED,
        MARK,
        REACH,
    ]
)
SINCE_2 = AROUND | frozenset(
    [
        "text search configuration",
        "text search dictionary",
        "operator family",
        "operator class",
        "conversion",
        "language",
        "access method",
        "foreign data wrapper",
        "user mapping",
        "subscription",
        "silent key",
        "security label",
    ]
)
SINCE_3 = frozenset([REACH, "extension body", MARK])  # the body was read with the extension's schema
NOTES_SINCE_3 = re.compile("; -- DETACH PENDING")
WORDS_SINCE_2 = ("comment", "grants")
SAID_BEFORE = re.compile(
    "(table|column|view|materialized view|sequence|foreign table|type|function|procedure|aggregate|schema) "
)
NO_TOAST = re.compile(r"; -- TOAST (?=;|$)")  # a dropped column's, until the table is written anew
NOTES_SINCE_2 = re.compile(r"; -- (?:NO DATA|UNLOGGED|TOAST [^;]*|RANGE [^;]*)| WITH GRANT OPTION(?=;|$)")


def generation(rows: Iterable[Row]) -> int:
    """By which these were read."""
    return next((int(row[1]) for row in rows if row[0] == MARK), 1)


def as_of(rows: Iterable[Row], reading: int) -> list[Row]:
    """As that generation would have read them."""
    if reading > 2:
        return list(rows)
    kept = [
        (*row[:3], NOTES_SINCE_3.sub("", row[3]) if row[0] == "table" else row[3])
        for row in rows
        if row[0] not in SINCE_3 and (row[0], row[1]) != EVERY_ROLE
    ]
    if reading > 1:
        return [*kept, (MARK, str(reading), "", "")]
    return [(*row[:3], _said(row)) for row in kept if row[0] not in SINCE_2 and not _is_new(row)]


def comparable(one: Sequence[Row], other: Sequence[Row]) -> tuple[Sequence[Row], Sequence[Row]]:
    """Both as the earlier of their generations reads."""
    readings = generation(one), generation(other)
    if readings[0] == readings[1]:
        return one, other
    return as_of(one, min(readings)), as_of(other, min(readings))


def _is_new(row: Row) -> bool:
    """Comments on and rights to what the first generation did not look at."""
    return row[0] in WORDS_SINCE_2 and not SAID_BEFORE.match(row[1])


def _said(row: Row) -> str:
    text = row[3].partition("; -- OWNER ")[0] if row[0] == "publication" else row[3]
    return NOTES_SINCE_2.sub("", text) if row[0] not in ("comment", "grants") else text
