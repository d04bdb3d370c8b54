"""The filters that every list has: between two days, and by whoever did it. No query of their own.

In: `dated` and `by` of the ModelAdmin, the columns that they speak of. Out: filters with a small form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

SINCE, UNTIL, BY = "since", "until", "by"
PRESETS = (("Today", 0), ("Past 7 days", 6), ("Past 30 days", 29))
LAST_DAY = date(9998, 12, 31)  # the year 9999 has no next day


@dataclass(frozen=True)
class Field:
    """One input of a filter's form."""

    name: str
    label: str
    type: str
    value: str


class FormFilter(admin.ListFilter):
    """A filter with inputs beside its choices; `names` are its parameters, `column` is what it compares."""

    template = "admin/filter_form.html"
    names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, request: HttpRequest, params: dict[str, list[str]], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.given: dict[str, str] = {name: params.pop(name)[-1].strip() for name in self.names if name in params}
        self.used_parameters = dict(self.given)
        self.column = self.column_of(model_admin)
        self.me = request.user.get_username()
        self.kept: list[tuple[str, str]] = []

    def column_of(self, model_admin: Any) -> str:
        """The column of this list that is compared."""
        raise NotImplementedError

    def expected_parameters(self) -> list[str | None]:
        return list(self.names)

    def has_output(self) -> bool:
        return True

    def keep(self, changelist: Any) -> None:
        """What else the address says, for the form's hidden fields."""
        params = {name: values for name, values in changelist.filter_params.items() if name not in self.names}
        self.kept = [(name, value) for name, values in params.items() for value in values]
        if changelist.query:
            self.kept.append(("q", changelist.query))


class DateFilter(FormFilter):
    """From one day to another, both included, as UTC counts them."""

    title = "date"
    names = (SINCE, UNTIL)

    def column_of(self, model_admin: Any) -> str:
        return str(model_admin.dated)

    def fields(self) -> list[Field]:
        used = self.given
        return [Field(SINCE, "From", "date", used.get(SINCE, "")), Field(UNTIL, "To", "date", used.get(UNTIL, ""))]

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        self.keep(changelist)
        yield _choice(changelist, "Any date", {}, self.names, selected=not self.given)
        today = timezone.now().date()
        for label, days in PRESETS:
            given = {SINCE: (today - timedelta(days=days)).isoformat()}
            yield _choice(changelist, label, given, self.names, selected=self.given == given)
        if not any(self.given == {SINCE: (today - timedelta(days=d)).isoformat()} for _, d in PRESETS):
            shown = " to ".join(self.given.get(name, "…") for name in self.names)
            if self.given:
                yield _choice(changelist, shown, self.given, self.names, selected=True)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = {name: _day(request, value) for name, value in self.given.items() if value}
        if since := days.get(SINCE):
            queryset = queryset.filter(**{f"{self.column}__gte": _midnight(since)})
        if until := days.get(UNTIL):
            queryset = queryset.filter(**{f"{self.column}__lt": _midnight(until + timedelta(days=1))})
        return queryset


class ByFilter(FormFilter):
    """Whoever did it: me, or somebody by the name that they sign in with."""

    title = "by"
    names = (BY,)

    def column_of(self, model_admin: Any) -> str:
        return str(model_admin.by)

    def fields(self) -> list[Field]:
        return [Field(BY, "User name", "text", self.given.get(BY, ""))]

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        self.keep(changelist)
        name = self.given.get(BY, "")
        yield _choice(changelist, "Anybody", {}, self.names, selected=not name)
        yield _choice(changelist, "Me", {BY: self.me}, self.names, selected=name == self.me)
        if name and name != self.me:
            yield _choice(changelist, name, {BY: name}, self.names, selected=True)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        name = self.given.get(BY, "")
        return queryset.filter(**{f"{self.column}__iexact": name}) if name else queryset


def _choice(
    changelist: Any, label: str, given: dict[str, str], names: tuple[str, ...], *, selected: bool
) -> dict[str, Any]:
    query = changelist.get_query_string(given, [name for name in names if name not in given])
    return {"display": label, "query_string": query, "selected": selected}


def _day(request: HttpRequest, text: str) -> date | None:
    try:
        return min(date.fromisoformat(text), LAST_DAY)
    except ValueError:
        messages.error(request, f"“{text[:40]}” is no date; write it as 2026-01-31. The list is not narrowed by it.")
        return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.get_default_timezone())
