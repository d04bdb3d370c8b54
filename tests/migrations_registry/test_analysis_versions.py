"""Syntax that not every PostgreSQL reads: said for each older target, and for none that reads it."""

from __future__ import annotations

import psycopg
import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.postgresql import builtin_functions
from migrations_registry.analysis.postgresql.builtin_functions import since
from tests.other_servers import VERSIONS, of_version

NEEDS = {
    18: (
        "ALTER TABLE t ADD COLUMN x int GENERATED ALWAYS AS (a * 2) VIRTUAL",
        "CREATE TABLE t (a int, x int GENERATED ALWAYS AS (a * 2))",
        "ALTER TABLE t ADD CONSTRAINT c NOT NULL a NOT VALID",
        "CREATE TABLE t (a int, CONSTRAINT c NOT NULL a)",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED",
        "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p (a) NOT ENFORCED",
        "ALTER TABLE t ALTER CONSTRAINT c NOT ENFORCED",
        "ALTER TABLE t ALTER CONSTRAINT c NO INHERIT",
        "CREATE TABLE t (a int4range, p tstzrange, PRIMARY KEY (a, p WITHOUT OVERLAPS))",
        "ALTER TABLE t ADD FOREIGN KEY (a, PERIOD p) REFERENCES q (a, PERIOD p)",
        "UPDATE t SET a = 1 WHERE b = 2 RETURNING old.a, new.a",
        "DELETE FROM t WHERE a = 1 RETURNING WITH (OLD AS o) o.a",
        "VACUUM ONLY t",
        "DO $$ BEGIN ALTER TABLE t ADD CONSTRAINT c NOT NULL a; END $$",
    ),
    17: (
        "ALTER TABLE t ALTER COLUMN x SET EXPRESSION AS (a * 3)",
        "MERGE INTO t USING s ON t.a = s.a WHEN NOT MATCHED BY SOURCE THEN DELETE",
        "SELECT * FROM JSON_TABLE('[]'::jsonb, '$[*]' COLUMNS (a int))",
        "CREATE VIEW v AS SELECT JSON_VALUE(doc, '$.a') FROM t",
        "SELECT JSON_QUERY(doc, '$.a') FROM t",
        "GRANT MAINTAIN ON t TO r",
        "SET transaction_timeout = '1min'",
        "ALTER TABLE t ALTER COLUMN a SET STATISTICS DEFAULT",
    ),
    16: (
        "SELECT a IS JSON FROM t",
        "SELECT JSON_ARRAY(1, 2)",
        "SELECT * FROM (SELECT 1)",
        "CREATE STATISTICS ON a, b FROM t",
        "CREATE TABLE t (a text STORAGE external)",
        "GRANT a TO b WITH INHERIT TRUE",
        "ALTER TABLE t ALTER COLUMN a SET STORAGE default",
    ),
    15: (
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DO NOTHING",
        "CREATE UNIQUE INDEX i ON t (a) NULLS NOT DISTINCT",
        "CREATE VIEW v WITH (security_invoker = on) AS SELECT 1",
        "ALTER VIEW v SET (security_invoker = on)",
        "CREATE PUBLICATION f FOR TABLES IN SCHEMA app",
        "CREATE PUBLICATION f FOR TABLE t (a) WHERE (a > 1)",
        "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p ON DELETE SET NULL (a)",
        "ALTER TABLE t SET ACCESS METHOD heap",
    ),
    14: (
        "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1",
        "CREATE OR REPLACE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()",
        "ALTER TABLE t ALTER COLUMN a SET COMPRESSION lz4",
        "REINDEX (TABLESPACE s) TABLE t",
    ),
    13: ("ALTER TABLE t ALTER COLUMN a DROP EXPRESSION", "DROP DATABASE d WITH (FORCE)"),
    12: ("REINDEX TABLE CONCURRENTLY t", "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a) STORED)"),
}
CASES = [(version, text) for version, texts in NEEDS.items() for text in texts]
EVERYWHERE = (
    "ALTER TABLE t ADD COLUMN x int NOT NULL DEFAULT 0",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
    "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p (a) ON DELETE SET NULL",
    "CREATE DOMAIN d AS int CHECK (value > 0)",
    "CREATE TABLE t (a int CONSTRAINT c NOT NULL, b int GENERATED ALWAYS AS IDENTITY)",
    "UPDATE t AS old SET a = 1 FROM s WHERE old.b = s.b RETURNING old.a",
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE t SET a = 1 WHERE b = 2 RETURNING new.a "
    "INTO new.a; RETURN new; END $$",
    "VACUUM t",
    "SELECT * FROM (SELECT 1) AS x",
    "CREATE FUNCTION uuidv7() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()'; CREATE TABLE t (a uuid DEFAULT "
    "uuidv7())",
    "SELECT app.to_bin(5)",
)


def said(text: str, version: int) -> list[str]:
    """What is said of versions."""
    found = analyse(text.encode(), pg_version=version).findings
    return [finding.message for finding in found if finding.rule == "MT-NEEDS-VERSION"]


@pytest.mark.parametrize(("version", "text"), CASES)
def test_an_older_target_is_told_what_it_needs(version: int, text: str) -> None:
    assert [f"needs PostgreSQL {version} " in message for message in said(text, version - 1)] == [True]
    assert [f"needs PostgreSQL {version} " in message for message in said(text, 11)] == [True]
    assert said(text, version) == said(text, 99) == []


@pytest.mark.parametrize("text", EVERYWHERE)
def test_what_every_version_reads_needs_none(text: str) -> None:
    assert said(text, 11) == []


REFUSED = (psycopg.errors.SyntaxError, psycopg.errors.FeatureNotSupported)


@pytest.mark.parametrize("text", [text for version, text in CASES if version == 18 and "old.a" not in text])
def test_the_server_of_the_tests_refuses_what_is_newer(text: str, proof_dsn: str) -> None:
    """It is 17: when it learns these forms, this test fails, and the ones of the next version take their place."""
    with psycopg.connect(proof_dsn, autocommit=True) as connection, pytest.raises(REFUSED):
        connection.execute(text)


GONE = {"pg_timezone_abbrevs"}  # of 17 and before
OF_SCHEMA = "SELECT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND oid < 16384"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_function_that_the_server_lacks_is_known_to_be_newer(version: int) -> None:
    with of_version(version) as server, psycopg.connect(server.dsn("postgres")) as connection:
        there = {name for (name,) in connection.execute(OF_SCHEMA)}
    calm, volatile, opaque = builtin_functions._lists()
    known = calm | volatile | opaque.keys()

    assert {name for name in there if since([name]) > version} == set()
    assert {name for name in known - there if since([name]) <= version} == (GONE if version > 17 else set())


@pytest.mark.parametrize("text", ["CREATE TABLE t (a uuid DEFAULT uuidv7())", "SELECT pg_catalog.casefold('A')"])
def test_a_newer_function_is_told_as_newer_syntax_is(text: str) -> None:
    assert ["needs PostgreSQL 18 " in message for message in said(text, 17)] == [True]
    assert said(text, 18) == []


def test_the_live_server_decides_unless_a_version_is_named() -> None:
    facts = CatalogFacts({}, server_version=18)

    assert analyse(NEEDS[18][0].encode(), facts=facts).findings != analyse(NEEDS[18][0].encode()).findings
    assert "MT-NEEDS-VERSION" not in {finding.rule for finding in analyse(NEEDS[18][0].encode(), facts=facts).findings}
