"""Rows of every app that fit what was typed, in one query.

In: a person and the words. Out: `Found` by their headings, only of tables that this person may look at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import CharField, DateTimeField, F, Value
from django.db.models.functions import Cast, Coalesce
from django.urls import reverse

from operations.web.formatting import relative
from sampelit_ops.search.tables import MOST, TABLES, Rows, Table


@dataclass(frozen=True)
class Found:
    """One hit: its heading, the row's key, what to call it and the address of its page."""

    heading: str
    key: str
    label: str
    url: str


def find(user: User | AnonymousUser, word: str) -> list[Found]:
    """At most `MOST` rows of each table that fit, in the order of `TABLES`."""
    tables = [table for table in TABLES if user.has_perm(table.permission)]
    if not tables or not word:
        return []
    parts = [_columns(place, table, word) for place, table in enumerate(tables)]
    rows = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    found = sorted(rows, key=lambda row: int(row[0]))
    return [_found(tables[int(place)], key, name, about, at) for place, key, name, about, at in found if key]


def _columns(place: int, table: Table, word: str) -> Rows:
    """The same five columns of every table: place, key, name, about, at."""

    def text(column: str) -> Any:
        return Coalesce(Cast(F(column), CharField()), Value("")) if column else Value("", CharField())

    at = F(table.at) if table.at else Cast(Value(None), DateTimeField())
    columns = (Value(str(place), CharField()), text(table.key), text(table.name), text(table.about), at)
    return table.rows(word).values_list(*columns)[:MOST]


def _found(table: Table, key: str, name: str, about: str, at: datetime | None) -> Found:
    shown = name[:7] if table.name == "commit_sha" else name
    parts = (shown, about.partition("\n")[0][:80], relative(at) if at else "")
    return Found(table.heading, key, " · ".join(part for part in parts if part), reverse(table.page, args=[key]))
