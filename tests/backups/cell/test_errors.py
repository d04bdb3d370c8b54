"""Whatever a product's code says in an error of a load, only facts of ours are told: no name that it chose."""

from __future__ import annotations

import re

import psycopg
import pytest

from providers.postgres.error_facts import explain_load, facts_of
from tests.backups.cell.conftest import CANARY, Drilled

SAYS = {
    "a message": f"RAISE EXCEPTION '{CANARY}'",
    "a detail": f"RAISE EXCEPTION 'no' USING DETAIL = '{CANARY}'",
    "a hint": f"RAISE EXCEPTION 'no' USING HINT = '{CANARY}'",
    "the name of a constraint": f"RAISE check_violation USING CONSTRAINT = '{CANARY}'",
    "the name of a column": f"RAISE check_violation USING COLUMN = '{CANARY}', TABLE = '{CANARY}'",
    "the name of a type": f"RAISE check_violation USING DATATYPE = '{CANARY}', SCHEMA = '{CANARY}'",
    "a state": f"RAISE EXCEPTION '{CANARY}' USING ERRCODE = 'CANRY'",
    "a state that waits for another try": f"RAISE EXCEPTION '{CANARY}' USING ERRCODE = '57P01'",
    "a state of a full disk": f"RAISE EXCEPTION '{CANARY}' USING ERRCODE = 'disk_full'",
    "a cast": f"PERFORM '{CANARY}'::int",
    "a cast to a date": f"PERFORM '{CANARY}'::date",
    "a name that is not there": f"EXECUTE 'SELECT 1 FROM \"{CANARY}\"'",
    "a statement that is none": f"EXECUTE 'SELEC {CANARY}'",
    "a row": f"CREATE TEMP TABLE t (a text UNIQUE); INSERT INTO t VALUES ('{CANARY}'), ('{CANARY}')",
    "a document": f"PERFORM '{{{CANARY}'::jsonb",
    "XML": f"PERFORM xmlparse(DOCUMENT '<{CANARY}>')",
}
FACTS = re.compile(
    r"The check sane of public\.carrier could not be rebuilt: "
    r"(an error of its own code|[a-z ]+ \([0-9A-Z]{5}\))(, constraint sane)?"
    r"(, table carrier)?\. It is there as NOT VALID\.( It asks for more than the row, such as the time, a setting or a"
    r" table: what passed once need not pass again\.)?"
)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("way", SAYS)
def test_an_error_of_a_check_is_told_as_facts(empty_database: str, drilled: Drilled, way: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute(
            "CREATE FUNCTION public.speak(int) RETURNS bool LANGUAGE plpgsql AS $f$ BEGIN IF current_database()"
            f" LIKE 'drill%' THEN {SAYS[way]}; END IF; RETURN true; END $f$"
        )
        connection.execute("CREATE TABLE public.carrier (id int CONSTRAINT sane CHECK (public.speak(id)))")
        connection.execute("INSERT INTO public.carrier VALUES (1)")

    seen = drilled(empty_database)

    assert seen.verdict is not None
    assert (seen.verdict.status, seen.verdict.reasons) == ("proven", [])
    assert seen.verdict.missing
    assert [text for text in seen.verdict.missing if not FACTS.fullmatch(text)] == []
    assert CANARY not in seen.told
    assert "CANRY" not in seen.told


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("public.spoken", CANARY, "invalid text representation (22P02)"),
        ("public.spoken[]", f"{{{CANARY}}}", "feature not supported (0A000)"),  # no ALTER DOMAIN validates it
    ],
)
def test_an_error_of_a_domain_is_told_as_facts(
    empty_database: str, drilled: Drilled, column: str, value: str, said: str
) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute(
            "CREATE DOMAIN public.spoken AS text CONSTRAINT sane CHECK"
            " (current_database() NOT LIKE 'drill%' OR VALUE::int > 0)"
        )
        connection.execute(f"CREATE TABLE public.carrier (word {column})")
        connection.execute("INSERT INTO public.carrier VALUES (%s)", [value])

    seen = drilled(empty_database)

    assert seen.verdict is not None
    assert (seen.verdict.status, seen.verdict.reasons) == ("proven", [])
    assert seen.verdict.missing == (
        f"The check sane of public.spoken could not be rebuilt: {said}. It is there as NOT VALID.",
    )
    assert CANARY not in seen.told


def test_a_name_is_told_where_it_was_known_before(empty_database: str) -> None:
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("CREATE TABLE users (id int PRIMARY KEY)")
        with pytest.raises(psycopg.Error) as twice:
            connection.execute("INSERT INTO users VALUES (1), (1)")

    facts = facts_of(twice.value, {"users_pkey", "users"})

    assert facts == "unique violation (23505), constraint users_pkey, table users"
    assert explain_load(twice.value, "It").message == "It stopped: unique violation (23505)."
    assert (
        explain_load(psycopg.OperationalError(CANARY), "It").message == "It stopped: the server ended the connection."
    )


def test_a_sentence_of_the_server_without_a_blank_is_told(empty_database: str) -> None:
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("SET ROLE pg_monitor")
        with pytest.raises(psycopg.Error) as denied:
            connection.execute("COPY (SELECT 1) TO PROGRAM 'true'")

    facts = facts_of(denied.value)

    assert facts == "insufficient privilege (42501): permission denied to COPY to or from an external program"
