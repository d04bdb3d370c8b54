"""Ordinary migrations pass: what their text says, and what the target does by itself because of it, is declared."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrations_registry.apply.measured import MoreThanApproved
from tests.migrations_registry.effects.bench import Bench, cases

HERE = Path(__file__).parent
HARMLESS = cases(HERE / "harmless.sql")
AUDITED = """
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.children (keep_id) VALUES (NULL); RETURN NEW; END $$;
CREATE TRIGGER audited AFTER UPDATE ON target FOR EACH ROW EXECUTE FUNCTION audit();
"""


@pytest.mark.parametrize("case", HARMLESS)
def test_what_the_text_says_passes(case: str, bench: Bench) -> None:
    before = bench.state()
    bench.judge(HARMLESS[case])
    assert bench.state() == before


def test_a_trigger_that_was_there_may_write_what_its_text_says(spoiled: Bench) -> None:
    spoiled.own.execute("SET search_path = public; " + AUDITED)
    assert "inserted 1 row into public.children" in spoiled.judge("UPDATE target SET a = 5")


def test_what_else_a_trigger_does_only_after_votes_for_a_loss(spoiled: Bench) -> None:
    text = AUDITED.replace("INSERT INTO public.children (keep_id) VALUES (NULL)", "DELETE FROM public.children")
    spoiled.own.execute("SET search_path = public; " + text)
    with pytest.raises(MoreThanApproved, match=r"deleted 50 rows of public\.children"):
        spoiled.judge("UPDATE target SET a = 5", "sensitive")
    assert "deleted 50 rows of public.children" in spoiled.judge("UPDATE target SET a = 5", "destructive")


MORE = {
    "a temporary table of the same name": "CREATE TEMP TABLE children (id int); DELETE FROM children",
    "another table than the named one": "UPDATE target SET a = 1",
    "another verb than the declared one": "INSERT INTO children VALUES (900)",
    "the same name in another schema of the path": "DELETE FROM extensions.children",
    "only its own rows, by a foreign key": "UPDATE children SET keep_id = 1",
}


@pytest.mark.parametrize("case", MORE)
def test_what_the_text_does_not_say_does_not(case: str, spoiled: Bench) -> None:
    spoiled.own.execute(
        "CREATE SCHEMA extensions; CREATE TABLE extensions.children (id int);"
        "CREATE FUNCTION public.hidden() RETURNS int LANGUAGE sql AS 'DELETE FROM public.children; SELECT 1'"
    )
    before = spoiled.state()
    with pytest.raises(MoreThanApproved, match=r"deleted 5[01] rows of public\.children") as caught:
        spoiled.judge(MORE[case] + "; SELECT public.hidden()")
    assert str(caught.value).startswith("It did more than was approved: ")
    assert "The transaction was rolled back, nothing was changed" in str(caught.value)
    assert spoiled.state() == before
