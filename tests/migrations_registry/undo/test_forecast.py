"""Before anybody votes it is said whether a file can be undone; a table of files, and the reasons that they get."""

from __future__ import annotations

import pytest

from migrations_registry.effects import declared
from migrations_registry.fingerprint.model import of_rows
from migrations_registry.undo.forecast import DATA_ONLY, FULLY, NO, forecast

SCHEMA = of_rows(
    [
        ("table", "public.people", "", "CREATE TABLE public.people ()"),
        ("constraint", "public.people.people_pkey", "public.people", "ALTER TABLE x ADD CONSTRAINT y PRIMARY KEY (id)"),
        ("table", "public.log", "", "CREATE TABLE public.log ()"),
        ("aggregate", "public.total(integer)", "", "-- AGGREGATE public.total"),
        ("sequence", "public.ticket", "", "CREATE SEQUENCE public.ticket"),
        ("event trigger", "watch", "", "CREATE EVENT TRIGGER watch"),
    ]
)
FILES = [
    ("CREATE TABLE fresh (id integer)", None),
    ("CREATE INDEX ON people (id)", None),
    ("DROP TABLE people", FULLY),
    ("DROP TABLE public.log", FULLY),
    ("DELETE FROM people WHERE id > 3", FULLY),
    ("DELETE FROM public.log", FULLY),
    ("TRUNCATE people", FULLY),
    ("UPDATE people SET name = ''", FULLY),
    ("UPDATE public.log SET at = NULL", DATA_ONLY),
    ("ALTER TABLE people DROP COLUMN name", FULLY),
    ("ALTER TABLE public.log DROP COLUMN at", DATA_ONLY),
    ("ALTER TABLE people ALTER COLUMN name TYPE varchar(3)", FULLY),
    ("DROP VIEW busy", FULLY),
    ("DROP FUNCTION twice(integer)", FULLY),
    ("DROP POLICY own ON people", FULLY),
    ("DROP TYPE mood CASCADE", FULLY),
    ("DROP ROLE somebody", NO),
    ("DROP PUBLICATION everything", NO),
    ("ALTER SEQUENCE ticket RESTART WITH 1", NO),
    ("DROP EVENT TRIGGER watch", NO),
    ("DROP SEQUENCE ticket", NO),
    ("TRUNCATE people RESTART IDENTITY", FULLY),
    ("ALTER ROLE somebody NOLOGIN", NO),
    ("DROP AGGREGATE total(integer)", NO),
    ("DROP TABLE people; DROP ROLE somebody", NO),
    ("DELETE FROM people; UPDATE public.log SET at = NULL", DATA_ONLY),
]


@pytest.mark.parametrize(("text", "answer"), FILES)
def test_what_a_file_takes_can_be_undone_or_not(text: str, answer: str | None) -> None:
    said = forecast(declared(text.encode(), voted="destructive").allowances, SCHEMA)

    assert (said.answer if said else None) == answer, said
    assert said is None or bool(said.why) is (answer != FULLY)


@pytest.mark.parametrize(
    ("circumstances", "why"),
    [
        ({"never": ("public.people is not kept",)}, "public.people is not kept"),
        ({"unfollowed": "nobody can follow it"}, "nobody can follow it"),
    ],
)
def test_circumstances_forbid_it(circumstances: dict[str, object], why: str) -> None:
    said = forecast(declared(b"DROP TABLE people").allowances, SCHEMA, **circumstances)  # type: ignore[arg-type]

    assert str(said) == f"no: {why}"


def test_without_a_look_before_nobody_knows_what_to_bring_back() -> None:
    assert str(forecast(declared(b"DROP TABLE people").allowances, None)) == "no: nobody looked at the schema before"
