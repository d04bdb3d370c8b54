"""The numbers around every page, asked once a request in one query (sql/page_counts.sql).

In: the request, which keeps the answer. Out: `Frame`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.db import connection
from django.http import HttpRequest

from operations.authority import VOTE, place_ids

SQL = Path(__file__).parents[1] / "sql" / "page_counts.sql"


@dataclass(frozen=True)
class Surrounding:
    """An environment as the ribbon needs it."""

    pk: int
    slug: str
    kind: str


@dataclass(frozen=True)
class PageCounts:
    """Counts for the sidebar and the cards, the ledger's last verification, the environments, the person's zone."""

    zone: str
    waiting: int
    votable: int
    destructive: int
    expires_at: datetime | None
    open_tasks: int
    failed: int
    late: int
    unbacked: list[str]
    ledger_at: datetime | None
    ledger_valid: bool | None
    doctor_at: datetime | None
    doctor_checks: list[dict[str, str]] | None
    environments: list[Surrounding]


def of(request: HttpRequest) -> PageCounts:
    """The frame of this request; the first caller pays the query."""
    known = getattr(request, "ops_frame", None)
    if not isinstance(known, PageCounts):
        known = _read_counts(request.user.pk, place_ids(request.user, VOTE))
        request.ops_frame = known  # type: ignore[attr-defined]
    return known


def _read_counts(user: int | None, votes_on: list[int] | None) -> PageCounts:
    with connection.cursor() as cursor:
        cursor.execute(_sql(), {"user": user or 0, "votes_on": votes_on})
        names = [column.name for column in cursor.description]
        row: dict[str, Any] = dict(zip(names, cursor.fetchone(), strict=True))
    return PageCounts(**{**row, "environments": [Surrounding(**environment) for environment in row["environments"]]})


@lru_cache(maxsize=1)
def _sql() -> str:
    return SQL.read_text()
