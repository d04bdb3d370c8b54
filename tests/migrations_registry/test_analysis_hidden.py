"""Danger in disguise is found; what only looks dangerous is left alone."""

from __future__ import annotations

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.command.report import exit_code
from migrations_registry.analysis.model import CONVENTION
from migrations_registry.analysis.plan import plan

DISGUISED = {
    "DO $$ BEGIN DROP TABLE orders; END $$": "MD-DROP-TABLE",
    "DO LANGUAGE plpgsql 'BEGIN EXECUTE ''DROP TABLE orders''; END'": "MD-DROP-TABLE",
    "DO $$ BEGIN EXECUTE 'DROP ' || 'TABLE ' || quote_ident('orders'); END $$": "MD-DROP-TABLE",
    "DO $$ BEGIN EXECUTE format('TRUNCATE %I.%I', 'public', 'orders'); END $$": "MD-TRUNCATE",
    "DO $$ DECLARE q text; BEGIN q := 'DELETE FROM orders'; EXECUTE q; END $$": "MD-DELETE-ALL",
    "DO $$ DECLARE q text := 'a'; BEGIN q := 'SELECT 1'; EXECUTE q; END $$": "MX-DYNAMIC",
    "DO $$ DECLARE r record; BEGIN FOR r IN SELECT 'x' AS q LOOP EXECUTE r.q; END LOOP; END $$": "MX-DYNAMIC",
    "DO $$ BEGIN IF true THEN NULL; ELSE DELETE FROM orders; END IF; END $$": "MD-DELETE-ALL",
    "DO $$ BEGIN NULL; EXCEPTION WHEN others THEN DROP TABLE orders; END $$": "MD-DROP-TABLE",
    "DO $$ BEGIN CASE 1 WHEN 1 THEN NULL; ELSE TRUNCATE orders; END CASE; END $$": "MD-TRUNCATE",
    "DO $$ DECLARE x int; BEGIN FOREACH x IN ARRAY ARRAY[1] LOOP DELETE FROM orders; END LOOP; END $$": "MD-DELETE-ALL",
    "DO $o$ BEGIN EXECUTE $i$ DO $d$ BEGIN DROP TABLE orders; END $d$ $i$; END $o$": "MD-DROP-TABLE",
    "DO $$ BEGIN CREATE INDEX CONCURRENTLY i ON orders (note); END $$": "MT-CIC-IN-TX",
    "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DROP TABLE orders'; SELECT f()": "MD-DROP-TABLE",
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS 'BEGIN TRUNCATE t; END'; SELECT public.f()": "MD-TRUNCATE",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC DELETE FROM orders RETURNING 1; END; SELECT f()": "MD-DELETE-ALL",
    "CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN DELETE FROM orders; END'; CALL p()": "MD-DELETE-ALL",
    "CREATE PROCEDURE p() LANGUAGE sql AS 'DROP TABLE a'; DO $$ BEGIN CALL p(); END $$": "MD-DROP-TABLE",
    "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'DELETE FROM orders; SELECT 1';"
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT g()'; INSERT INTO t SELECT f()": "MD-DELETE-ALL",
    "SELECT somebody_elses_function()": "MX-UNSEEN-CALL",
    "CALL somebody_elses_procedure(1)": "MX-UNSEEN-CALL",
    "WITH x AS (DELETE FROM orders RETURNING *) SELECT * FROM x": "MD-DELETE-ALL",
    "WITH x AS (UPDATE orders SET note = '' RETURNING *) INSERT INTO kept SELECT * FROM x": "MD-UPDATE-ALL",
    "EXPLAIN (ANALYZE, BUFFERS) DELETE FROM orders": "MD-DELETE-ALL",
    "PREPARE p AS DELETE FROM orders; EXECUTE p": "MD-DELETE-ALL",
    "CREATE TABLE x AS WITH y AS (SELECT 1) SELECT unknown_function() FROM y": "MX-UNSEEN-CALL",
    "DELETE FROM orders WHERE NOT false": "MD-DELETE-ALL",
    "DELETE FROM orders WHERE id = id": "MD-DELETE-ALL",
    "UPDATE orders SET note = '' FROM customers": "MD-UPDATE-ALL",
    "DELETE FROM orders USING customers": "MD-DELETE-ALL",
    "UPDATE orders SET note = u.note FROM u WHERE u.id = orders.id": "MD-UPDATE-MANY",
    "ALTER TABLE orders ENABLE REPLICA TRIGGER g": "ML-DISABLE-TRIGGER",
    "LOAD 'auto_explain'": "MS-UNTRUSTED-LANG",
    "SELECT lo_unlink(7)": "MS-SERVER-FUNCTION",
    "DELETE FROM orders WHERE 'a' = 'a' AND true": "MD-DELETE-ALL",
    "UPDATE orders SET note = '' WHERE 2 > 1 OR true": "MD-UPDATE-ALL",
    "CREATE SCHEMA s CREATE TABLE auth.t (a int)": "MS-MANAGED-SCHEMA",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO authenticated": "MS-GRANT-WIDE",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon": "MS-DEFAULT-PRIVILEGES",
    "CREATE POLICY p ON orders FOR DELETE TO authenticated USING (1 = 1)": "MS-POLICY-TRUE",
    "CREATE POLICY p ON orders USING (true)": "MS-POLICY-TRUE",
    "CREATE TABLE profiles (id uuid PRIMARY KEY REFERENCES auth.users (id))": "MS-RLS-MISSING",
    "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'": "MS-SECDEF",
    "ALTER FUNCTION f() RESET search_path": "MS-SECDEF",
    "SET session_replication_role = 'replica'": "ML-DISABLE-TRIGGER",
    "SELECT set_config('session_replication_role', 'replica', true)": "ML-DISABLE-TRIGGER",
    "SELECT setval('ticket', 1)": "MC-SEQ-RESTART",
    "COPY (DELETE FROM orders RETURNING *) TO STDOUT": "MD-DELETE-ALL",
    "CREATE TABLE IF NOT EXISTS t (a int); CREATE INDEX i ON t (a)": "ML-INDEX",
    'DROP TABLE "ñ€"': "MD-DROP-TABLE",
    "dRoP /* a */ TaBlE -- b\n orders": "MD-DROP-TABLE",
    "SELECT 1;;; DROP TABLE orders": "MD-DROP-TABLE",
}
LOOKALIKES = [
    "SELECT 'DROP TABLE orders; -- '",
    "-- DROP TABLE orders\nSELECT 1",
    "/* /* DROP TABLE orders; */ */ SELECT 1",
    'COMMENT ON TABLE orders IS \'TRUNCATE CASCADE\'; SELECT "drop" FROM "table"',
    "INSERT INTO notes (text) VALUES ('DELETE FROM orders')",
    "CREATE TEMP TABLE t (a int); INSERT INTO t SELECT 1; DELETE FROM t; DROP TABLE t",
    "CREATE TABLE t (a int); CREATE INDEX i ON t (a); ALTER TABLE t ADD CHECK (a > 0); DROP TABLE t",
    "CREATE TABLE public.t (a int); CREATE INDEX ON t (a)",
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS 'BEGIN DROP TABLE orders; END'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS 'BEGIN RETURN 1; END'",
    "DO $$ BEGIN EXECUTE 'CREATE TABLE t (a int)'; END $$",
    "DO $$ BEGIN RAISE NOTICE 'DROP TABLE %', 'orders'; END $$",
    "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'mood') THEN "
    "CREATE TYPE mood AS ENUM ('a'); END IF; END $$",
    "PREPARE p AS DELETE FROM orders; DEALLOCATE p",
    "EXPLAIN DELETE FROM orders",
    "WITH x AS (SELECT 1 AS a) INSERT INTO t SELECT a FROM x",
    "UPDATE orders SET note = 'x' WHERE id = 5",
    "CREATE TABLE t (id int); REVOKE ALL ON t FROM anon",
    "ALTER TABLE orders ADD COLUMN c timestamptz NOT NULL DEFAULT now()",
    "ALTER TABLE orders ADD COLUMN c jsonb DEFAULT '{}'::jsonb",
    "CREATE TABLE t (id uuid DEFAULT gen_random_uuid() PRIMARY KEY); ALTER TABLE t ENABLE ROW LEVEL SECURITY; "
    "CREATE POLICY p ON t FOR ALL TO authenticated USING (auth.uid() = id)",
    "DROP POLICY IF EXISTS p ON t; CREATE POLICY p ON t FOR SELECT USING (auth.uid() = id)",
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; "
    "DROP TRIGGER IF EXISTS g ON t; CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()",
    "CREATE POLICY p ON t FOR ALL TO service_role USING (true) WITH CHECK (true)",
    "CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t FOR SELECT USING (true)",
    "CREATE VIEW v WITH (security_invoker = on) AS SELECT 1",
    "GRANT SELECT ON orders TO reporting",
    "CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA extensions",
    "SELECT setval('ticket', (SELECT max(id) FROM orders))",
    "SET lock_timeout = '1s'; SET LOCAL statement_timeout = '5s'",
    "CREATE TABLE t (a int REFERENCES orders (id) ON DELETE CASCADE)",
]


@pytest.mark.parametrize(("sql", "rule_id"), DISGUISED.items())
def test_disguised(sql: str, rule_id: str) -> None:
    rules = {finding.rule for finding in analyse(sql.encode()).findings if finding.severity != CONVENTION}

    assert rule_id in rules


@pytest.mark.parametrize("sql", LOOKALIKES)
def test_lookalike(sql: str) -> None:
    rules = {finding.rule for finding in analyse(sql.encode()).findings if finding.severity != CONVENTION}

    assert rules == set()


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT 1", 0),
        ("CREATE INDEX i ON t (a)", 0),
        ("DROP TABLE t", 1),
        ("SELECT f()", 2),
        ("DROP TABLE t; \\i x", 2),
        ("", 0),
    ],
)
def test_exit_code(sql: str, code: int) -> None:
    assert exit_code(analyse(sql.encode())) == code


def test_lines_are_counted_in_characters_nobody_miscounts() -> None:
    text = "-- ñ€😀\nSELECT 'ñ€😀';\n\n/* a\nb */ DROP TABLE\n  orders; DROP TABLE lines"

    places = [(statement.line, statement.end_line, statement.sql) for statement in analyse(text.encode()).statements]

    assert places == [(2, 2, "SELECT 'ñ€😀'"), (5, 6, "DROP TABLE\n  orders"), (6, 6, "DROP TABLE lines")]


def test_one_unparsed_statement_does_not_hide_its_neighbours() -> None:
    statements = analyse(b"SELECT 1; REPACK orders; DROP TABLE orders").statements

    assert [[finding.rule for finding in statement.findings][:1] for statement in statements] == [
        [],
        ["MP-UNPARSED"],
        ["MD-DROP-TABLE"],
    ]


INDEX_IN_THE_MIDDLE = b"DROP TABLE a; CREATE INDEX CONCURRENTLY i ON t (a); DROP TABLE b"


def test_a_concurrent_form_is_a_step_of_its_own() -> None:
    steps = plan(analyse(INDEX_IN_THE_MIDDLE)).steps

    assert [(step.transactional, step.statements) for step in steps] == [(True, (0,)), (False, (1,)), (True, (2,))]


def test_a_concurrent_form_is_refused_in_a_transaction_and_only_there() -> None:
    alone = plan(analyse(b"CREATE INDEX CONCURRENTLY i ON t (a)", assume_in_transaction=True))
    within = plan(analyse(INDEX_IN_THE_MIDDLE, assume_in_transaction=True))

    assert alone.refusals == ()
    assert within.refusals == ("line 1 runs a concurrent command inside a transaction (MT-CIC-IN-TX)",)
