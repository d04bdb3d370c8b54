"""With a live catalog: what the database runs by itself is followed as if the file said it, and only that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.model import OPAQUE, SECURITY, Analysis
from migrations_registry.analysis.risk import DESTRUCTIVE, ROUTINE
from migrations_registry.services.live_facts import facts_of
from providers import postgres
from providers.postgres.schema.live_facts import read_live
from tests import portal_database

HERE = Path(__file__).parent


def facts_after(*statements: str) -> Iterator[CatalogFacts]:
    name = f"live_{uuid4().hex[:12]}"
    portal_database.server.create_database(name)
    with psycopg.connect(portal_database.server.dsn(name), autocommit=True) as owner:
        for statement in statements:
            owner.execute(statement)
    with postgres.connect(portal_database.server.dsn(name)) as connection:
        yield facts_of(read_live(connection))
    portal_database.server.drop_database(name)


@pytest.fixture(scope="module")
def live() -> Iterator[CatalogFacts]:
    yield from facts_after((HERE / "live.sql").read_text())


def judged(text: str, facts: CatalogFacts) -> Analysis:
    return analyse(text.encode(), as_runner=True, facts=facts)


FIRES = {
    "a trigger": "INSERT INTO by_trigger VALUES (1)",
    "a trigger, from a query": "INSERT INTO by_trigger SELECT 1",
    "a trigger, from a block": "DO $$ BEGIN INSERT INTO by_trigger VALUES (1); END $$",
    "a trigger, through a view": "INSERT INTO through VALUES (1)",
    "a trigger, from a WITH": "WITH x AS (INSERT INTO by_trigger VALUES (1) RETURNING *) SELECT * FROM x",
    "a trigger's WHEN": "UPDATE by_when SET id = 2 WHERE id = 1",
    "a default": "INSERT INTO by_default (id) VALUES (1)",
    "a check": "INSERT INTO by_check VALUES (1)",
    "a computed column": "UPDATE by_computed SET id = 2 WHERE id = 1",
    "an index": "INSERT INTO by_index VALUES (1)",
    "an index rebuilt": "REINDEX TABLE by_index",
    "an index's predicate": "INSERT INTO by_predicate VALUES (1)",
    "a rule": "INSERT INTO by_rule VALUES (1)",
    "a view": "SELECT * FROM by_view",
    "a view over it": "INSERT INTO log SELECT now(), a::text FROM over_view",
    "a materialized view": "REFRESH MATERIALIZED VIEW by_matview",
    "a policy": "SELECT * FROM by_policy",
    "a parent's trigger": "INSERT INTO by_partition_1 VALUES (1)",
    "a partition key": "INSERT INTO by_key VALUES (1)",
    "a parent's check": "INSERT INTO heir VALUES (1)",
    "a domain": "INSERT INTO by_domain VALUES (1)",
    "a cast to a domain": "SELECT 1::wild",
    "a new column of a domain": "ALTER TABLE calm ADD COLUMN w wild",
    "a new table of a domain": "CREATE TABLE n (w wild); INSERT INTO n VALUES (1)",
    "a variable of a domain": "DO $$ DECLARE w wild := 1; BEGIN NULL; END $$",
    "a new name": "ALTER TABLE by_default RENAME TO other; INSERT INTO other (id) VALUES (1)",
    "a view of the file": "CREATE VIEW w AS SELECT id FROM by_trigger; INSERT INTO w VALUES (1)",
    "a table made like it": "CREATE TABLE n (LIKE by_default INCLUDING ALL); INSERT INTO n (id) VALUES (1)",
    "a text at run time": "INSERT INTO by_text (id) VALUES (1)",
    "an operator": "SELECT 1 === 2",
    "an operator with its schema": "SELECT 1 OPERATOR(public.===) 2",
    "an aggregate": "SELECT total(id) FROM calm",
    "an overload of a built-in": "SELECT upper(1)",
    "a namesake with its schema": "SELECT app.upper(1)",
    "a call like a column": "SELECT k.row_wipe FROM keep k",
    "a call": "SELECT wipe()",
    "a new trigger with it": "CREATE TRIGGER t AFTER INSERT ON calm FOR EACH ROW EXECUTE FUNCTION wiping()",
    "a new default with it": "ALTER TABLE calm ALTER COLUMN id SET DEFAULT wipe()",
    "a new column with it": "ALTER TABLE calm ADD COLUMN n int DEFAULT wipe()",
    "a new index with it": "CREATE INDEX ON calm (wipes(id))",
    "a temporary table of that name": "CREATE TEMP TABLE keep (id int); INSERT INTO by_trigger VALUES (1)",
    "another overload replaced": "CREATE FUNCTION upper(oid) RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT upper(1)",
}
CALM = {
    "rows": "INSERT INTO calm (id) VALUES (1); UPDATE calm SET v = 'y' WHERE id = 1",
    "a view": "SELECT * FROM quiet; INSERT INTO quiet (id) VALUES (2)",
    "another event": "UPDATE by_trigger SET id = 2 WHERE id = 1",
    "a call": "SELECT tidy(v) FROM calm; CREATE VIEW w WITH (security_invoker = on) AS SELECT tidy('x') AS a",
    "an index": "CREATE INDEX CONCURRENTLY i ON calm (tidy(v))",
    "a trigger with an older function": "CREATE TRIGGER b BEFORE UPDATE ON log FOR EACH ROW EXECUTE FUNCTION touch()",
    "a function made again": "CREATE OR REPLACE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT wipe(); "
    "INSERT INTO by_default (id) VALUES (1); INSERT INTO by_trigger VALUES (1)",
    "an aggregate named like its function": "SELECT joined(v) FROM calm; SELECT joined(v, 'x') FROM calm",
    "aggregates named like each other's": "SELECT ping(id), pong(id) FROM calm",
    "built-ins": "SELECT lower('X'), abs(1), 1 = 2 FROM calm",
}


@pytest.mark.parametrize("case", FIRES)
def test_what_the_database_runs_is_followed(case: str, live: CatalogFacts) -> None:
    assert judged(FIRES[case], live).risk == DESTRUCTIVE


@pytest.mark.parametrize("case", CALM)
def test_what_only_answers_or_logs_stays_routine(case: str, live: CatalogFacts) -> None:
    analysis = judged(CALM[case], live)

    assert {finding.severity for finding in analysis.findings} & {DESTRUCTIVE, OPAQUE, SECURITY} == set()
    assert analysis.risk == ROUTINE or case == "an index"


def test_what_is_not_in_the_catalog_is_opaque_and_named(live: CatalogFacts) -> None:
    text = "CREATE TRIGGER t AFTER INSERT ON calm FOR EACH ROW EXECUTE FUNCTION nobodys()"
    unseen = [finding.message for finding in judged(text, live).findings if finding.severity == OPAQUE]
    without = analyse(text.encode(), facts=replace(live, programs=None)).findings

    assert unseen == ["trigger t of calm: calls nobodys(), which the catalog does not hold either: it may do anything"]
    assert OPAQUE not in {finding.severity for finding in without}


def test_a_finding_says_the_way_to_the_loss(live: CatalogFacts) -> None:
    (found,) = [each for each in judged(FIRES["a trigger"], live).findings if each.severity == DESTRUCTIVE]

    assert found.message.startswith(
        "function wipe() in function wiping() in trigger t of by_trigger: deletes every row of keep"
    )


def test_casts_and_event_triggers_run_with_everything() -> None:
    wipe = "CREATE TABLE keep (id int); CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS "
    wipe += "'DELETE FROM keep RETURNING 1'; "
    cast = "CREATE TYPE odd AS (n int); CREATE FUNCTION f(odd) RETURNS text LANGUAGE sql AS 'SELECT wipe()::text'; "
    event = "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM wipe(); END'; "
    (casts,) = facts_after(wipe + cast + "CREATE CAST (odd AS text) WITH FUNCTION f(odd) AS IMPLICIT")
    (events,) = facts_after(wipe + event + "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION e()")

    assert judged("INSERT INTO log VALUES (1)", casts).risk == DESTRUCTIVE
    assert judged("COMMENT ON TABLE keep IS 'x'", casts).risk == ROUTINE
    assert judged("COMMENT ON TABLE keep IS 'x'", events).risk == DESTRUCTIVE
    assert judged("INSERT INTO log VALUES (1)", events).risk == ROUTINE


def test_an_extension_is_trusted_only_where_it_is_known() -> None:
    (facts,) = facts_after("CREATE EXTENSION pg_trgm; CREATE EXTENSION tablefunc; CREATE EXTENSION citext")

    assert judged("SELECT similarity('a', 'b'), 'x'::citext = 'X', public.show_trgm('x')", facts).risk == ROUTINE
    assert judged("SELECT * FROM crosstab('SELECT 1') AS t (a int)", facts).risk == DESTRUCTIVE
