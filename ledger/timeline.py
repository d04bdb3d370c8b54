"""What the timeline shows: filters read from the address, one page of entries by key (never OFFSET, never a count).

In: a QueryDict. Out: Filters, and a Page of entries, newest first, with the key of the next page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Q, QuerySet
from psycopg import sql

from ledger.models import Entry

PAGE = 100
NAMES = ("environment", "actor", "code", "subject", "from", "to")


@dataclass(frozen=True)
class Filters:
    """`since` and `until` are whole days in UTC, both included; a code ending in a dot stands for all that begin so."""

    environment: str = ""
    actor: str = ""
    code: str = ""
    subject: str = ""
    since: date | None = None
    until: date | None = None
    problems: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, str]:
        """The filters that are set, under their names in the address."""
        days = {"from": self.since, "to": self.until}
        texts = {"environment": self.environment, "actor": self.actor, "code": self.code, "subject": self.subject}
        return {k: v for k, v in texts.items() if v} | {k: day.isoformat() for k, day in days.items() if day}

    def query_string(self, **more: str) -> str:
        return urlencode(self.as_dict() | more)

    def entries(self) -> QuerySet[Entry]:
        """The entries that fit, newest first."""
        rows = Entry.objects.all()
        for name in ("environment", "actor", "subject"):
            if value := getattr(self, name):
                rows = rows.filter(**{name: value})
        if self.code:
            names = [name for name in choices("code") if name.startswith(self.code)]
            rows = rows.filter(code__in=names) if self.code.endswith(".") else rows.filter(code=self.code)
        if self.since:
            rows = rows.filter(at__gte=_midnight(self.since))
        return rows.filter(at__lt=_midnight(self.until + timedelta(days=1))) if self.until else rows


@dataclass(frozen=True)
class Page:
    entries: list[Entry]
    next_key: str


def read(given: Mapping[str, str]) -> Filters:
    """Filters from the address; what cannot be read is left out and named in `problems`."""
    texts = {name: str(given.get(name, "")).strip()[:200] for name in NAMES}
    since, until = _day(texts.pop("from")), _day(texts.pop("to"))
    problems = tuple(f"{day!r} is no date; write it as 2026-01-31." for day in (since, until) if isinstance(day, str))
    nul = {name: value.replace("\x00", "") for name, value in texts.items()}
    first, last = (day if isinstance(day, date) else None for day in (since, until))
    return Filters(**nul, since=first, until=last, problems=problems)


def page(filters: Filters, before: str = "") -> Page:
    """One page; `before` is the key that the page before it gave."""
    rows = filters.entries()
    if key := _key(before):
        at, sequence = key
        rows = rows.filter(Q(at__lt=at) | Q(at=at, sequence__lt=sequence), at__lte=at)
    entries = list(rows[: PAGE + 1])
    last = entries[PAGE - 1] if len(entries) > PAGE else None
    return Page(entries[:PAGE], f"{last.at.isoformat()}~{last.sequence}" if last else "")


def choices(column: str) -> list[str]:
    """Every value of an indexed column (environment, actor or code)."""
    query = sql.SQL(_choices_sql()).format(column=sql.Identifier(column))
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [str(row[0]) for row in cursor.fetchall()]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _day(text: str) -> date | str | None:
    """The day, None for nothing, or the text itself when it is no day that fits (the year 9999 has no next day)."""
    try:
        return min(date.fromisoformat(text), date(9998, 12, 31)) if text else None
    except ValueError:
        return text


def _key(text: str) -> tuple[datetime, int] | None:
    at, _, sequence = text.partition("~")
    try:
        moment = datetime.fromisoformat(at)
        return (moment, min(int(sequence), 2**63 - 1)) if moment.tzinfo else None
    except ValueError:
        return None


@cache
def _choices_sql() -> str:
    return (Path(__file__).parent / "sql" / "choices.sql").read_text()
