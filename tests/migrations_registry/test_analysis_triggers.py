"""What a trigger leaves out without a word: by what its function gives back, for which events, and when it runs."""

from __future__ import annotations

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.facts import CatalogFacts, CatalogRoutine, Programs

FUNCTION = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} END $$"
TRIGGER = "CREATE TRIGGER g {} EXECUTE FUNCTION f()"
EACH = " ON t FOR EACH ROW"
SOME, EVERY = "some {} of t is silently left out (", "every {} of t is silently left out, whatever"
LEFT_OUT = {
    ("IF new.a = 1 THEN RETURN NULL; END IF; RETURN new;", "BEFORE INSERT" + EACH): SOME,
    ("RETURN NULL;", "BEFORE INSERT" + EACH + " WHEN (new.a > 1)"): SOME,
    ("RETURN NULL;", "BEFORE UPDATE OF a" + EACH): SOME,
    ("RETURN NULL;", "BEFORE INSERT" + EACH): EVERY,
    ("IF new.a = 1 THEN RETURN NULL; END IF; RETURN NULL;", "BEFORE INSERT" + EACH): SOME,
    ("RETURN new;", "BEFORE DELETE" + EACH): EVERY,
    ("RETURN old;", "BEFORE UPDATE" + EACH): EVERY,
    ("IF new.a = 1 THEN RETURN old; END IF; RETURN new;", "BEFORE UPDATE" + EACH): SOME,
    ("RETURN new; EXCEPTION WHEN others THEN RETURN NULL;", "BEFORE INSERT" + EACH): SOME,
    ("CASE new.a WHEN 1 THEN RETURN NULL; ELSE RETURN new; END CASE;", "BEFORE INSERT" + EACH): SOME,
    ("WHILE new.a < 5 LOOP RETURN NULL; END LOOP; RETURN new;", "BEFORE INSERT" + EACH): SOME,
    ("RETURN new;", "BEFORE DELETE OR INSERT" + EACH): EVERY,
    ("RETURN old;", "BEFORE UPDATE OR DELETE" + EACH): EVERY,
    ("RETURN old;", "BEFORE INSERT" + EACH): EVERY,
    ("PERFORM tg_op; RETURN new;", "BEFORE DELETE OR INSERT" + EACH): EVERY,
    ("IF new.a = 1 THEN RETURN NULL; END IF; RETURN new;", "BEFORE INSERT OR UPDATE" + EACH): SOME.replace(
        "{}", "{} and update"
    ),
    ("IF tg_op = 'UPDATE' THEN RETURN NULL; END IF; RETURN new;", "BEFORE UPDATE" + EACH): SOME,
}
KEPT = [
    ("RETURN new;", "BEFORE UPDATE" + EACH),
    ("IF tg_op = 'DELETE' THEN RETURN old; END IF; RETURN new;", "BEFORE UPDATE" + EACH),
    ("IF tg_op = 'DELETE' THEN RETURN old; END IF; RETURN new;", "BEFORE DELETE OR UPDATE" + EACH),
    ("RETURN coalesce(new, old);", "BEFORE DELETE OR UPDATE" + EACH),
    ("RETURN new; /* RETURN old; */", "BEFORE UPDATE" + EACH),
    ("PERFORM 'return old;'; RETURN new;", "BEFORE UPDATE" + EACH),
    ("IF new.a = 1 THEN RAISE EXCEPTION 'no'; END IF; RETURN new;", "BEFORE INSERT" + EACH),
    ("RAISE EXCEPTION 'no';", "BEFORE INSERT" + EACH + " WHEN (new.a < 0)"),
    ("RAISE EXCEPTION 'no'; EXCEPTION WHEN others THEN RETURN new;", "BEFORE INSERT" + EACH),
    ("RETURN NULL;", "AFTER INSERT" + EACH),
    ("RETURN NULL;", "INSTEAD OF INSERT" + EACH),
    ("RETURN NULL;", "BEFORE INSERT ON t FOR EACH STATEMENT"),
]


def said(text: str, facts: CatalogFacts | None = None) -> list[str]:
    found = analyse(text.encode(), as_runner=True, facts=facts).findings
    return [each.message for each in found if each.rule == "MC-TRIGGER-STOPS"]


@pytest.mark.parametrize(("body", "when"), LEFT_OUT)
def test_a_write_that_is_left_out_is_told(body: str, when: str) -> None:
    told = LEFT_OUT[body, when].format(when.split()[1].lower())

    (message,) = said(f"{FUNCTION.format(body)}; {TRIGGER.format(when)}")

    assert message.startswith(f"from now on {told}")


@pytest.mark.parametrize(("body", "when"), KEPT)
def test_a_write_that_takes_place_or_is_refused_by_its_values_is_not(body: str, when: str) -> None:
    assert said(f"{FUNCTION.format(body)}; {TRIGGER.format(when)}") == []


def test_a_function_of_the_database_is_read_too() -> None:
    text = FUNCTION.format("IF new.a = 1 THEN RETURN NULL; END IF; RETURN new;").replace("f()", "public.f()")
    facts = CatalogFacts({}, programs=Programs({"f": (CatalogRoutine("public", text),)}))

    assert len(said(TRIGGER.format("BEFORE INSERT" + EACH), facts)) == 1
