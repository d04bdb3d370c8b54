"""Every way to run a function without calling it, times everything that its body could destroy: never routine."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.model import CONVENTION, OPAQUE
from migrations_registry.analysis.risk import DESTRUCTIVE
from tests.migrations_registry.effects.bench import cases

EFFECTS = Path(__file__).parents[1] / "effects"
FUNCTIONS = (EFFECTS / "functions.sql").read_text()
WAYS = cases(EFFECTS / "hidden_calls.sql") | cases(Path(__file__).with_name("more_ways.sql"))
BODIES = (
    "DELETE FROM public.keep",
    "DELETE FROM public.keep WHERE id = 4",
    "UPDATE public.keep SET v = 'gone' WHERE id > 0",
    "TRUNCATE public.keep",
    "DROP TABLE public.keep",
    "DROP SCHEMA public CASCADE",
    "ALTER TABLE public.keep DROP COLUMN v",
    "ALTER TABLE public.keep DISABLE ROW LEVEL SECURITY",
    "GRANT ALL ON public.keep TO PUBLIC",
    "PERFORM setval('counter', 1)",
    "EXECUTE 'DROP TABLE ' || current_setting('some.name')",
    "EXECUTE format('TRUNCATE %I', 'keep')",
    "PERFORM nobodys_function()",
    "IF 1 OPERATOR(public.@@@@) 2 THEN NULL; END IF",
)
# The first two run a text, whatever stands in it; the others also name what is made nowhere in the file.
UNSEEN_ANYWAY = {"text search", "xml", "trigger WHEN", "sampling", "order by an operator"}


def with_body(body: str) -> str:
    """The functions, with this in the place of what wipe() does."""
    before, _, after = FUNCTIONS.split("$wipe$")
    return f"{before}$wipe$ BEGIN {body}; RETURN 1; END $wipe${after}"


@pytest.mark.sampled(3)
@pytest.mark.parametrize("way", WAYS)
def test_a_hidden_run_of_a_body_is_judged_as_a_call(way: str) -> None:
    text = WAYS[way]
    missed = [body for body in BODIES if analyse((with_body(body) + text).encode()).risk != DESTRUCTIVE]

    assert missed == []


@pytest.mark.parametrize("way", WAYS)
def test_a_hidden_run_of_what_nobody_sees_is_opaque_and_named(way: str) -> None:
    findings = analyse(WAYS[way].encode()).findings

    assert [finding for finding in findings if finding.severity == OPAQUE] != []


@pytest.mark.parametrize("way", WAYS)
def test_a_hidden_run_of_a_harmless_body_is_not_opaque(way: str) -> None:
    text = with_body("INSERT INTO public.log VALUES (1, now())") + WAYS[way]
    opaque = [finding.message for finding in analyse(text.encode()).findings if finding.severity == OPAQUE]

    assert opaque == [] or way in UNSEEN_ANYWAY


def test_a_body_further_down_counts_too() -> None:
    """Created again after it was attached, created only after its caller, or renamed into its place."""
    calm = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
    attach = "CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f(); "
    wild = "FUNCTION {} RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM orders; RETURN NEW; END'; "
    later = "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'DELETE FROM orders; SELECT 1'; "
    texts = [
        calm + attach + "CREATE OR REPLACE " + wild.format("f()"),
        "CREATE " + wild.format("h()") + calm + attach + "DROP FUNCTION f(); ALTER FUNCTION h() RENAME TO f",
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN g(); END'; " + later + "SELECT f()",
        calm + "ALTER FUNCTION f() RENAME TO old; ALTER FUNCTION theirs() RENAME TO f; SELECT f()",
        calm + "DROP FUNCTION f(); SELECT f()",
        "SELECT f(); " + calm,
    ]

    assert [text for text in texts if analyse(text.encode()).risk != DESTRUCTIVE] == []


def test_what_only_gets_attached_to_what_nobody_sees_is_a_note() -> None:
    """Without a catalogue, and of a new table; when the file sets it off, it is opaque. Of an older table it runs with
    every write of the code that runs now.
    """
    attach = "CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION theirs(); "
    fresh = analyse(f"CREATE TABLE orders (id int PRIMARY KEY); {attach}".encode())
    quiet, loud = analyse(attach.encode()), analyse((attach + "INSERT INTO orders VALUES (1)").encode())

    assert {finding.severity for finding in fresh.findings if finding.rule == "MX-UNSEEN-CALL"} == {CONVENTION}
    assert (fresh.risk, quiet.risk) == ("routine", "sensitive")
    assert loud.risk == DESTRUCTIVE
    assert "trigger t of orders: calls theirs()" in loud.findings[-1].message


def test_rows_that_are_run_later_are_opaque() -> None:
    text = "INSERT INTO cron.job (schedule, command) VALUES ('* * * * *', 'DELETE FROM orders')"

    assert "whose rows are commands that run later" in analyse(text.encode()).findings[0].message


def test_the_table_is_as_wide_as_it_claims() -> None:
    assert len(WAYS) >= 70
    assert len(BODIES) >= 12
