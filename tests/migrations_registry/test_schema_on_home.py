"""Home says beside each environment which file of the schema is live, how many wait, and what is odd about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import RequestFactory

from migrations_registry.doctor import LATE
from migrations_registry.history.status_cell import Column
from migrations_registry.web import home
from operations.models import Environment
from tests.people import holder

FILES = [{"pk": number, "path": f"m/{number:02}.sql", "stream": "migration"} for number in (1, 2, 3)]
AT = datetime(2026, 11, 29, tzinfo=UTC)


def column(states: str, *, drift: bool = False, baselined: bool = True) -> Column:
    words = {"a": "applied", "p": "pending", "c": "changed"}
    known = {str(number): {"state": words[letter]} for number, letter in enumerate(states, 1)}
    streams = frozenset({"migration"} if baselined else ())
    return Column(
        Environment(slug="production"), AT, AT, "", "", True, "", streams, {"pk": 1} if drift else None, known
    )


@pytest.mark.parametrize(
    ("shown", "live", "pending", "odd", "tone"),
    [
        (column("aaa"), "03.sql", 0, "", "warn"),
        (column("app"), "01.sql", 2, "", "warn"),
        (column("ppp", baselined=False), "", 3, "1 stream not baselined", "warn"),
        (column("aac"), "02.sql", 0, "1 changed", "bad"),
        (column("app", drift=True), "01.sql", 2, "drift", "bad"),
        (column(""), "", 0, "3 not read yet", "warn"),
        (column("aa"), "02.sql", 0, "1 not read yet", "warn"),
    ],
)
def test_a_line_says_what_is_live_what_waits_and_what_is_odd(
    shown: Column, live: str, pending: int, odd: str, tone: str
) -> None:
    found = home._schema(FILES, shown, AT + LATE)

    assert (found.live, found.pending, found.odd, found.tone) == (live, pending, odd, tone)
    later = home._schema(FILES, shown, AT + LATE + timedelta(seconds=1))
    assert later.odd == (odd if odd and "not read" not in odd else "not read lately")


@pytest.mark.django_db
def test_who_may_not_look_at_migrations_is_told_nothing() -> None:
    request = RequestFactory().get("/admin/")
    request.user = holder("somebody")

    assert home.schemas(request) == {}
