"""What a target does by itself because of a file is declared as far as the votes go: the more, the more of it."""

from __future__ import annotations

import pytest

from migrations_registry.analysis.model import DESTRUCTIVE
from migrations_registry.analysis.risk import ROUTINE, SENSITIVE
from migrations_registry.apply.measured import MoreThanApproved
from tests.migrations_registry.effects.bench import Bench

BODY = "CREATE FUNCTION acts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NULL; END $$;"
EVERY = "CREATE TRIGGER acts AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION acts()"
LOGS = BODY.format(body="INSERT INTO public.target (id) VALUES (77)") + EVERY.format(table="children")
COUNTS = BODY.format(body="UPDATE public.target SET a = a + 1") + EVERY.format(table="children")
WIPES = BODY.format(body="DELETE FROM public.target") + EVERY.format(table="children")
ON_TRUNCATE = BODY.format(body="DELETE FROM public.target") + (
    "CREATE TRIGGER acts AFTER TRUNCATE ON children FOR EACH STATEMENT EXECUTE FUNCTION acts()"
)
ON_PART = BODY.format(body="DELETE FROM public.target") + (
    "CREATE TRIGGER acts AFTER UPDATE ON parts_1 FOR EACH ROW EXECUTE FUNCTION acts()"
)
BY_VIEW = BODY.format(body="DELETE FROM public.target") + (
    "CREATE VIEW window_ AS SELECT id FROM children;"
    "CREATE TRIGGER acts INSTEAD OF INSERT ON window_ FOR EACH ROW EXECUTE FUNCTION acts()"
)
BY_KEY = WIPES.replace("ON children", "ON grandchildren")
GRAND = (
    "CREATE TABLE grandchildren (child int REFERENCES children ON DELETE SET NULL);"
    "INSERT INTO grandchildren SELECT id FROM children;" + BY_KEY
)
# What the target does, the statement that sets it off, what happens, and the least risk by which that is declared.
CASES = {
    "a log": (LOGS, "UPDATE children SET keep_id = 1 WHERE id = 1", "inserted 1 row into public.target", ROUTINE),
    "a counter": (COUNTS, "INSERT INTO children VALUES (99)", "updated 1 row of public.target", SENSITIVE),
    "on insert": (WIPES, "INSERT INTO children VALUES (99)", "deleted 1 row of public.target", DESTRUCTIVE),
    "on update": (WIPES, "UPDATE children SET id = 98 WHERE id = 1", "deleted 1 row of public.target", DESTRUCTIVE),
    "on delete": (WIPES, "DELETE FROM children WHERE id = 1", "deleted 1 row of public.target", DESTRUCTIVE),
    "on truncate": (ON_TRUNCATE, "TRUNCATE children", "deleted 1 row of public.target", DESTRUCTIVE),
    "of one partition": (
        ON_PART,
        "UPDATE parts SET id = 1 WHERE day = 3",
        "deleted 1 row of public.target",
        DESTRUCTIVE,
    ),
    "instead of": (BY_VIEW, "INSERT INTO window_ VALUES (1)", "deleted 1 row of public.target", DESTRUCTIVE),
    "behind foreign keys": (GRAND, "DELETE FROM keep WHERE id = 1", "deleted 1 row of public.target", DESTRUCTIVE),
    "a rule": (
        "CREATE RULE acts AS ON INSERT TO children DO ALSO DELETE FROM public.target",
        "INSERT INTO children VALUES (99)",
        "deleted 1 row of public.target",
        DESTRUCTIVE,
    ),
    "another rule": (
        "CREATE RULE acts AS ON UPDATE TO parts DO ALSO (UPDATE target SET a = 0; INSERT INTO children VALUES (99))",
        "UPDATE parts SET day = day WHERE id = 3",
        "updated 1 row of public.target",
        SENSITIVE,
    ),
}
HIGHER = {ROUTINE: [], SENSITIVE: [ROUTINE], DESTRUCTIVE: [ROUTINE, SENSITIVE]}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("case", CASES)
def test_what_the_target_does_is_declared_as_far_as_the_votes_go(case: str, spoiled: Bench) -> None:
    there, text, done, risk = CASES[case]
    spoiled.own.execute(f"SET search_path = public; {there}")

    assert done in spoiled.judge(text, risk)

    for less in HIGHER[risk]:
        with pytest.raises(MoreThanApproved, match="nothing was changed"):
            spoiled.judge(text, less)


def test_an_event_trigger_is_followed(spoiled: Bench, superuser: Bench) -> None:
    """It acts when the schema changes, whatever the table."""
    watch = BODY.replace("trigger LANGUAGE", "event_trigger LANGUAGE").replace(" RETURN NULL;", "")
    owner = spoiled.own.info.user
    superuser.own.execute(f"ALTER ROLE {owner} SUPERUSER")
    spoiled.own.execute(watch.format(body="DELETE FROM public.target"))
    spoiled.own.execute("CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION acts()")
    superuser.own.execute(f"ALTER ROLE {owner} NOSUPERUSER")

    assert "deleted 1 row of public.target" in spoiled.judge("CREATE TABLE fresh (id int)", DESTRUCTIVE)
    with pytest.raises(MoreThanApproved, match=r"deleted 1 row of public\.target"):
        spoiled.judge("CREATE TABLE fresh (id int)", SENSITIVE)


def test_what_nobody_can_read_declares_nothing(spoiled: Bench) -> None:
    hidden = BODY.format(body="EXECUTE convert_from(decode('44454c4554452046524f4d20746172676574','hex'), 'UTF8')")
    spoiled.own.execute(f"SET search_path = public; {hidden} {EVERY.format(table='children')}")

    with pytest.raises(MoreThanApproved, match=r"deleted 1 row of public\.target"):
        spoiled.judge("DELETE FROM children WHERE id = 1", DESTRUCTIVE)
