"""The report of a rehearsal, from numbers alone: disagreements, forecasts, hazards, what only a copy lacks."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from backups.models import Policy, Run
from migrations_registry.analysis.cost import REWRITE_BYTES_PER_SECOND
from migrations_registry.analysis.model import LOCKS, STRENGTH
from migrations_registry.effects import Effect
from migrations_registry.models import MigrationFile, Rehearsal
from migrations_registry.rehearsal.attempt import Stopped
from migrations_registry.rehearsal.hazards import Trace, hazards
from migrations_registry.rehearsal.runner import _unable, is_not_here
from migrations_registry.rehearsal.trace import (
    Claim,
    Seen,
    Sizes,
    blocked_seconds,
    disagreements,
    effect_lines,
    statement_lines,
)
from migrations_registry.services.rehearsal_lines import lines_of
from operations.models import Environment

LEADS = ("public", "leads")
AT = datetime(2026, 12, 1, tzinfo=UTC)
POLICY = Policy(name="audit-trail", environment=Environment(slug="production"))
RUN = Run(id="r", policy=POLICY, started_at=AT)


def passed(report: dict[str, Any]) -> Rehearsal:
    row = Rehearsal(run=RUN, status="passed", report=report)
    row.schema_now = None
    return row


def seen(lock: str = "", rewritten: bool = False, scanned: bool = False, at: int = 0) -> Seen:
    locks = ((LEADS, lock),) if lock else ()
    return Seen(at, 5, 2.0, 1000, locks, (LEADS,) * rewritten, (LEADS,) * scanned)


def test_a_disagreement_is_told_exactly_where_there_is_one() -> None:
    for (claimed, rewrite, scan), (lock, rewritten, scanned) in product(
        product(("", *LOCKS), (False, True), (False, True)), repeat=2
    ):
        found = disagreements(Claim(0, 1, claimed, rewrite, scan), seen(lock, rewritten, scanned))

        others_wait = STRENGTH.get(lock, -1) >= STRENGTH["SHARE"]
        expected = [
            (claimed or "ACCESS SHARE") != (lock or "ACCESS SHARE"),
            rewritten != rewrite,
            scanned and not scan and others_wait,
        ]
        assert len(found) == sum(expected), (claimed, rewrite, scan, lock, rewritten, scanned, found)


@pytest.mark.parametrize(
    ("live", "copied", "seconds"),
    [(5000, 5, 2000.0), (5, 5, 2.0), (0, 5, 2.0), (5000, 0, None), (0, 0, 2.0)],
)
def test_the_forecast_grows_with_the_rows(live: int, copied: int, seconds: float | None) -> None:
    sizes = Sizes({"public.leads": live}, {"public.leads": copied})

    (line,) = statement_lines([Claim(0, 7, "", True, False)], [seen("ACCESS EXCLUSIVE", rewritten=True)], sizes)

    assert (line["line"], line["forecast_seconds"]) == (7, seconds)
    assert blocked_seconds([line]) == seconds


@pytest.mark.parametrize(("scanned", "seconds"), [(False, 102.0), (True, 102.0)])
def test_without_rows_the_forecast_goes_by_bytes(scanned: bool, seconds: float) -> None:
    sizes = Sizes({"public.leads": 5000}, {"public.leads": 0}, {"public.leads": 100 * REWRITE_BYTES_PER_SECOND})
    line = seen("ACCESS EXCLUSIVE", rewritten=True, scanned=scanned)

    (told,) = statement_lines([Claim(0, 7, "", True, scanned)], [line], sizes)

    assert (told["forecast_seconds"], told["forecast_wal_bytes"]) == (seconds, None)


def test_others_wait_from_the_first_lock_that_keeps_them_away() -> None:
    sizes = Sizes({}, {})
    locks = ["ROW EXCLUSIVE", "SHARE", "ACCESS SHARE"]
    claims = [Claim(at, at, lock, False, False) for at, lock in enumerate(locks)]

    lines = statement_lines(claims, [seen(lock, at=at) for at, lock in enumerate(locks)], sizes)

    assert (blocked_seconds(lines), blocked_seconds(lines[:1])) == (4.0, 0.0)


def test_effects_are_told_with_the_rows_of_today() -> None:
    sizes = Sizes({"public.leads": 700}, {"public.leads": 7})
    effects = [Effect("created", "index", ("public", "i")), Effect("deleted", "table", LEADS, rows=3)]

    deleted, created = effect_lines(effects, sizes)

    assert (deleted["said"], deleted["forecast_rows"]) == ("deleted 3 rows of public.leads", 300)
    assert created["forecast_rows"] is None


@pytest.mark.parametrize(
    ("locks", "told"),
    [
        (("SHARE", "ACCESS EXCLUSIVE"), True),
        (("ROW EXCLUSIVE", "ACCESS EXCLUSIVE"), False),
        (("SHARE", "ACCESS SHARE"), False),
    ],
)
def test_a_table_that_two_files_block_is_a_hazard(locks: tuple[str, str], told: bool) -> None:
    first, later = (Trace(f"{at}.sql", "", {LEADS: lock}, ()) for at, lock in enumerate(locks))

    assert bool(hazards([first, later])) is told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("SELECT message FROM leads", True),
        ('CREATE VIEW v AS SELECT "message" FROM public.leads', True),
        ("SELECT messages FROM leads", False),
        ("SELECT message FROM users", False),
    ],
)
def test_a_dropped_column_that_a_later_file_names_is_a_hazard(text: str, told: bool) -> None:
    drop = Effect("dropped", "table column", ("public", "leads", "message"))
    first, later = Trace("1.sql", "", {}, (drop,)), Trace("2.sql", text, {}, ())

    assert bool(hazards([first, later])) is told
    assert not hazards([later, first])


@pytest.mark.parametrize(
    ("state", "message", "only_here"),
    [
        ("42501", "permission denied to create role", True),
        ("0A000", 'extension "vector" is not available', True),
        ("58P01", "could not open extension control file", True),
        ("42P01", 'relation "auth.users" does not exist', True),
        ("3F000", 'schema "storage" does not exist', True),
        ("42883", "function cron.schedule(unknown) does not exist", True),
        ("42704", 'publication "feed" does not exist', True),
        ("42704", 'event trigger "watch" does not exist', True),
        ("42704", 'type "publication" does not exist', False),
        ("42P01", 'relation "author" does not exist', False),
        ("42P01", 'relation "public.leads" does not exist', False),
        ("22012", "division by zero in auth.check()", False),
        ("23514", "check violation", False),
    ],
)
def test_what_only_the_copy_lacks_says_nothing_of_the_target(state: str, message: str, only_here: bool) -> None:
    assert is_not_here(Stopped(0, state, message)) is only_here


@pytest.mark.parametrize(
    ("locks", "seconds", "said"),
    [
        ([], 0.0, "Nobody would wait."),
        (["public.a: ROW EXCLUSIVE"], 0.0, "Nobody would wait."),
        (["public.a: SHARE"], 3.25, "Nobody could write to public.a for about 3.25 s, with the rows of today."),
        (
            ["public.a: ACCESS EXCLUSIVE", "public.b: SHARE ROW EXCLUSIVE", "public.a: SHARE"],
            0.0,
            "Nobody could read or write public.a and nobody could write to public.b for a moment, with the rows",
        ),
        (["public.a: SHARE"], None, "Nobody could write to public.a; for how long, it cannot tell: the copy holds"),
    ],
)
def test_it_is_said_who_waits_for_what(locks: list[str], seconds: float | None, said: str) -> None:
    report = {"blocked_seconds": seconds, "statements": [{"line": 1, "locks": locks, "disagreements": []}]}

    assert said in lines_of(passed(report))[0][0]


def test_stand_ins_and_what_the_copy_refuses_are_told_without_advice_for_the_target() -> None:
    row = passed({"stood_in": ["function auth.uid()"]})
    file = MigrationFile(content=b"SELECT 1;\nCREATE ROLE x;")

    assert "stood in: function auth.uid(). Whether" in lines_of(row)[-1][0]
    assert _unable(file, Stopped(1, "42501", "permission denied to create role")).startswith(
        "at line 2 the copy refuses what the target may allow: permission denied to create role. "
    )
