"""A severity follows what is lost and who waits, not the verb: the same effect by another command is judged alike."""

from __future__ import annotations

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.model import CONVENTION
from migrations_registry.analysis.rule_registry import HANDLERS
from tests.migrations_registry.truth.kinds import KINDS

ASKED = "CREATE OR REPLACE FUNCTION f(d uuid) RETURNS boolean LANGUAGE sql RETURN "
FOUND = {
    "CREATE TABLE n (a uuid); ALTER TABLE n ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON n USING (a = auth.uid())": (
        "MC-NO-API-GRANT"
    ),
    "ALTER TABLE t ALTER COLUMN id RESTART WITH 1": "MC-SEQ-RESTART",
    "ALTER TABLE t ALTER COLUMN id RESTART": "MC-SEQ-RESTART",
    "ALTER SEQUENCE s MAXVALUE 5": "MV-SEQUENCE-LIMIT",
    "ALTER SEQUENCE s AS smallint": "MV-SEQUENCE-LIMIT",
    "SET lock_timeout = '10h'; ALTER TABLE t ADD COLUMN x int": "MT-TIMEOUT-RAISED",
    "SET lock_timeout = '5min'": "MT-TIMEOUT-RAISED",
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS "
    "$$ BEGIN RAISE NOTICE 'auth.uid()'; DELETE FROM public.t; END $$": "MS-DEFINER-OPEN",
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS "
    "$$ BEGIN RAISE NOTICE 'request.jwt'; DELETE FROM public.t; END $$": "MS-DEFINER-OPEN",
    "CREATE FUNCTION f(who uuid DEFAULT auth.uid()) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = '' "
    "BEGIN ATOMIC DELETE FROM public.t; END": "MS-DEFINER-OPEN",
    "SET LOCAL search_path = app; BEGIN; CREATE TABLE n (a int); COMMIT": "MT-TX-CONTROL",
    "SET TRANSACTION READ ONLY; BEGIN; CREATE TABLE n (a int); COMMIT": "MT-TX-CONTROL",
    "SET default_transaction_isolation = 'serializable'; BEGIN; CREATE TABLE n (a int); COMMIT": "MT-TX-CONTROL",
    "SET work_mem = '1GB'; BEGIN; CREATE TABLE n (a int); COMMIT; RESET work_mem": "MT-TX-CONTROL",
    "CREATE TABLE m (a int); BEGIN; CREATE TABLE n (a int); COMMIT": "MT-TX-CONTROL",
    "SELECT set_config('lock_timeout', '90000', false)": "MT-TIMEOUT-RAISED",
    "RESET lock_timeout; ALTER TABLE t ADD COLUMN x int": "MT-TIMEOUT-OFF",
    "ALTER ROLE web NOLOGIN": "MS-LOCKS-OUT",
    "ALTER ROLE web CONNECTION LIMIT 0": "MS-LOCKS-OUT",
    "ALTER DATABASE d ALLOW_CONNECTIONS false": "MS-LOCKS-OUT",
    "ALTER ROLE web SET search_path = app": "MS-LATER-SESSIONS",
    "ALTER DATABASE d SET session_preload_libraries = 'x'": "MS-LATER-SESSIONS",
    "ALTER DATABASE d SET TABLESPACE x": "ML-DATABASE-TABLESPACE",
    "BEGIN; REINDEX SCHEMA public; COMMIT": "MT-NON-TX",
    "BEGIN; CLUSTER; COMMIT": "MT-NON-TX",
    "ALTER TABLE t SET (autovacuum_enabled = off)": "MC-NO-AUTOVACUUM",
    "ALTER TABLE t SET (toast.autovacuum_enabled = false)": "MC-NO-AUTOVACUUM",
    "REFRESH MATERIALIZED VIEW mv WITH NO DATA": "MC-EMPTY-MATVIEW",
    "ALTER TABLE t ALTER COLUMN g SET EXPRESSION AS (a * 3)": "ML-SET-EXPRESSION",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID, VALIDATE CONSTRAINT c": "ML-VALIDATE-SAME-TX",
    "ALTER TABLE t VALIDATE CONSTRAINT c, ADD COLUMN x int": "ML-VALIDATE-SAME-TX",
    "ALTER TABLE t ADD CONSTRAINT t_a_not_null CHECK (true) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT t_a_not_null; "
    "ALTER TABLE t ALTER COLUMN a SET NOT NULL": "ML-SET-NOT-NULL",
    "CREATE TABLE f (id int); INSERT INTO f VALUES (1); ALTER TABLE f ADD COLUMN n text NOT NULL": (
        "MV-ADD-NOT-NULL-NO-DEFAULT"
    ),
    "ALTER TABLE users ALTER COLUMN plan DROP DEFAULT": "MC-DROP-DEFAULT",
    "ALTER TYPE mood RENAME TO feeling": "MC-RENAME-TYPE",
    "CREATE TABLE calc (id int); DROP FUNCTION calc": "MD-DROP-FUNCTION",
    "ALTER TABLE t ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY": "MV-SEQUENCE-BEHIND",
    "ALTER TABLE t ALTER COLUMN id SET GENERATED ALWAYS": "MC-GENERATED-ALWAYS",
    "ALTER TABLE t ALTER id ADD GENERATED ALWAYS AS IDENTITY (START WITH 9000)": "MC-GENERATED-ALWAYS",
    "CREATE SEQUENCE s; SELECT setval('app.s', 1)": "MC-SEQ-RESTART",
    "CREATE TABLE IF NOT EXISTS t (id serial); SELECT setval('t_id_seq', 1)": "MC-SEQ-RESTART",
    "CREATE TEMP TABLE t (id serial); SELECT setval('public.t_id_seq', 1)": "MC-SEQ-RESTART",
    "DO $$ DECLARE r record; BEGIN FOR r IN TABLE t LOOP UPDATE t SET a = 1 WHERE id = r.id; END LOOP; END $$": (
        "MD-UPDATE-MANY"
    ),
    "CREATE FUNCTION f(i int) RETURNS void LANGUAGE sql AS 'UPDATE t SET a = 1 WHERE id = i'; "
    "DO $$ BEGIN FOR i IN 1..9 LOOP PERFORM f(i); END LOOP; END $$": "MD-UPDATE-MANY",
    "CREATE OPERATOR CLASS x DEFAULT FOR TYPE int USING btree AS OPERATOR 1 <": "MC-QUERY-MEANING",
    "CREATE FUNCTION f(i int) RETURNS void LANGUAGE sql AS 'UPDATE t SET a = 1 WHERE id = i'; SELECT f(id) FROM t": (
        "MD-UPDATE-MANY"
    ),
    "ALTER DOMAIN d VALIDATE CONSTRAINT c": "ML-DOMAIN-CONSTRAINT",
    "ALTER PUBLICATION p SET (publish = 'insert')": "MC-PUBLISH-OTHER",
    "INSERT INTO net.http_request_queue (url) VALUES ('x')": "MS-MANAGED-ROWS",
    "ALTER SERVER s OPTIONS (SET host 'other')": "MS-FOREIGN-SERVER",
    "DROP USER MAPPING FOR anon SERVER s": "MS-FOREIGN-SERVER",
    "ALTER SUBSCRIPTION s DISABLE": "MC-SUBSCRIPTION",
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'x'; RETURN NULL; END $$; "
    "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()": "MC-TRIGGER-STOPS",
    "-- migrate:up\nCREATE TABLE x (a int);\n-- migrate:down\nDROP TABLE x;": "MT-WAY-BACK",
    "CREATE TABLE x (a int);\n---- create above / drop below ----\nDROP TABLE x;": "MT-WAY-BACK",
    "UPDATE auth.users SET email = 'x' WHERE id = 'a'": "MS-MANAGED-ROWS",
    "INSERT INTO vault.secrets (secret) VALUES ('x')": "MS-MANAGED-ROWS",
    "DELETE FROM supabase_migrations.schema_migrations WHERE version = '1'": "MS-MANAGED-ROWS",
    "INSERT INTO storage.buckets (id, name, public) VALUES ('a', 'a', true)": "MS-MANAGED-ROWS",
    "INSERT INTO storage.buckets (id, public) SELECT 'a', x FROM y": "MS-MANAGED-ROWS",
    "INSERT INTO storage.buckets (id) VALUES ('a') ON CONFLICT (id) DO UPDATE SET public = true": "MS-MANAGED-ROWS",
    "UPDATE storage.buckets SET public = (id = 'a')": "MS-MANAGED-ROWS",
    "GRANT SELECT ON auth.users TO reporting": "MS-GRANT-WIDE",
    "CREATE TABLE IF NOT EXISTS n (a int); ALTER TABLE n ENABLE ROW LEVEL SECURITY; GRANT SELECT ON n TO anon": (
        "MS-GRANT-WIDE"
    ),
    "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT EXECUTE ON FUNCTION f(text) TO anon": (
        "MS-GRANT-WIDE"
    ),
    "CREATE SCHEMA IF NOT EXISTS s; GRANT USAGE ON SCHEMA s TO anon": "MS-GRANT-WIDE",
    "BEGIN; ALTER TABLE t ADD uuid uuid; UPDATE t SET uuid = uuidv4() WHERE uuid IS NULL; COMMIT": (
        "ML-BACKFILL-IN-DDL-TX"
    ),
    "DROP POLICY p ON t; CREATE POLICY p ON t USING (a = uid()); DROP POLICY p ON t": "MS-DROP-POLICY",
    "DROP TRIGGER g ON t; CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f(); DROP TRIGGER g ON t": (
        "MD-DROP-TRIGGER"
    ),
    "UPDATE customers SET currency = 'EUR' WHERE country_code = 'HR'": "MD-UPDATE-MANY",
    "CREATE TEMP TABLE t (a int); DISCARD TEMP; TRUNCATE t": "MD-TRUNCATE",
    "ALTER TABLE t ADD x int; ALTER TABLE t RENAME x TO y; ALTER TABLE t RENAME a TO x; UPDATE t SET x = 1": (
        "MD-UPDATE-ALL"
    ),
    "ALTER TABLE t ADD x int; ALTER TABLE t RENAME TO o; ALTER TABLE u RENAME TO t; UPDATE t SET x = 1": (
        "MD-UPDATE-ALL"
    ),
    "ALTER TABLE t ADD x int; ALTER TABLE t SET SCHEMA o; ALTER TABLE u RENAME TO t; UPDATE t SET x = 1": (
        "MD-UPDATE-ALL"
    ),
    "CREATE SCHEMA s; ALTER TABLE t SET SCHEMA s; DROP SCHEMA s CASCADE": "MD-DROP-SCHEMA-CASCADE",
    "CREATE SCHEMA s; ALTER SCHEMA s RENAME TO o; ALTER SCHEMA u RENAME TO s; DROP SCHEMA s CASCADE": (
        "MD-DROP-SCHEMA-CASCADE"
    ),
    "CREATE SCHEMA s; CREATE TABLE s.p (a int) PARTITION BY RANGE (a); ALTER TABLE s.p ATTACH PARTITION t FOR VALUES "
    "FROM (1) TO (9); DROP SCHEMA s CASCADE": "MD-DROP-SCHEMA-CASCADE",
    "CREATE SCHEMA s; CREATE TYPE s.m AS ENUM ('a'); ALTER TABLE t ALTER a TYPE s.m USING 'a'; DROP SCHEMA s CASCADE": (
        "MD-DROP-SCHEMA-CASCADE"
    ),
    "ALTER TYPE pair DROP ATTRIBUTE b": "MC-ALTER-TYPE",
    "DROP TABLE IF EXISTS x; CREATE TABLE x AS SELECT 1 AS a; GRANT SELECT ON x TO anon": "MS-RLS-MISSING",
    "CREATE TABLE x (a int); ALTER TABLE x RENAME TO y; CREATE TABLE x (a int); DROP TABLE x; GRANT SELECT ON y TO a": (
        "MS-RLS-MISSING"
    ),
    "CREATE FUNCTION f() RETURNS SETOF t LANGUAGE sql SECURITY DEFINER SET search_path = '' AS "
    "'SELECT * FROM public.t WHERE note = current_user'": "MS-DEFINER-OPEN",
    "CREATE TABLE z (a int); CREATE FUNCTION z() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE EXECUTE ON FUNCTION "
    "z() FROM public; GRANT SELECT ON z TO anon": "MS-GRANT-WIDE",
    "UPDATE orders SET total = 0 FROM (VALUES (1)) v(id) WHERE orders.tenant_id = v.id": "MD-UPDATE-MANY",
    "CREATE OR REPLACE FUNCTION f() RETURNS SETOF t LANGUAGE sql SECURITY DEFINER SET search_path = '' AS "
    "'/* auth.uid() */ SELECT * FROM public.t'; GRANT EXECUTE ON FUNCTION f() TO anon": "MS-GRANT-WIDE",
    "CREATE FUNCTION f() RETURNS SETOF t LANGUAGE sql SECURITY DEFINER SET search_path = '' AS "
    "'SELECT * FROM public.t -- auth.uid()'": "MS-DEFINER-OPEN",
    "CREATE FUNCTION f() RETURNS SETOF t LANGUAGE sql SECURITY DEFINER SET search_path = '' AS "
    "'SELECT * FROM/**/public.t'": "MS-DEFINER-OPEN",
    "CREATE FUNCTION f() RETURNS SETOF t LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'TABLE public.t'": (
        "MS-DEFINER-OPEN"
    ),
    "CREATE SCHEMA s; CREATE EXTENSION e SCHEMA s; ALTER EXTENSION e ADD TABLE t; DROP SCHEMA s CASCADE": (
        "MD-DROP-SCHEMA-CASCADE"
    ),
    "BEGIN; CREATE TYPE m AS (a int, b int); ROLLBACK; ALTER TYPE m DROP ATTRIBUTE b": "MC-ALTER-TYPE",
    "CREATE TYPE m AS (a int); ALTER TYPE m SET SCHEMA s; ALTER TYPE o.m SET SCHEMA public; "
    "ALTER TYPE m DROP ATTRIBUTE a": "MC-ALTER-TYPE",
    "CREATE TYPE m AS (a int); ALTER TABLE t ALTER a TYPE m USING row(a)::m; "
    "ALTER TYPE m DROP ATTRIBUTE a": "MC-ALTER-TYPE",
    "CREATE SCHEMA s; CREATE DOMAIN s.d AS int; CREATE DOMAIN e AS s.d; ALTER TABLE t ALTER a TYPE e; "
    "DROP SCHEMA s CASCADE": "MD-DROP-SCHEMA-CASCADE",
    "CREATE DOMAIN d AS int; CREATE DOMAIN e AS d; ALTER TABLE t ALTER a TYPE e; "
    "DROP DOMAIN d CASCADE": "MD-DROP-DOMAIN",
    "CREATE SCHEMA s; SET search_path = s, public; CREATE DOMAIN d AS int; ALTER TABLE public.t ALTER a TYPE d; "
    "DROP SCHEMA s CASCADE": "MD-DROP-SCHEMA-CASCADE",
    "CREATE SCHEMA s; CREATE TYPE s.m AS (a int); ALTER TABLE t OF s.m; "
    "DROP SCHEMA s CASCADE": "MD-DROP-SCHEMA-CASCADE",
    "CREATE TYPE m AS (a int); ALTER TABLE t OF m; DROP TYPE m CASCADE": "MD-DROP-TYPE",
    'CREATE SCHEMA s; CREATE COLLATION s.c FROM "C"; ALTER TABLE t ALTER a TYPE text COLLATE s.c; '
    "DROP SCHEMA s CASCADE": "MD-DROP-SCHEMA-CASCADE",
    "CREATE SCHEMA s; CREATE DOMAIN s.d AS int; ALTER TYPE pair ALTER ATTRIBUTE b TYPE s.d; "
    "DROP SCHEMA s CASCADE": "MD-DROP-SCHEMA-CASCADE",
    "CREATE TABLE n (a int); CREATE TABLE o () INHERITS (n); ALTER TABLE t INHERIT o; "
    "DROP TABLE n CASCADE": "MD-DROP-TABLE",
    "BEGIN; CREATE SCHEMA s; ROLLBACK; DROP SCHEMA s": "MD-DROP-SCHEMA",
    "BEGIN; CREATE SCHEMA s; ROLLBACK; DROP SCHEMA s CASCADE": "MD-DROP-SCHEMA-CASCADE",
    "CREATE TABLE n (a uuid); ALTER TABLE n ENABLE ROW LEVEL SECURITY; CREATE TABLE m (a int); BEGIN; DROP TABLE m; "
    "ROLLBACK": "MS-RLS-MISSING",
    "CREATE TABLE m (a int); BEGIN; ALTER TABLE m ENABLE ROW LEVEL SECURITY; ROLLBACK; GRANT SELECT ON m TO anon": (
        "MS-GRANT-WIDE"
    ),
    "BEGIN; CREATE TABLE m (a int); SAVEPOINT s; ALTER TABLE m ENABLE ROW LEVEL SECURITY; ROLLBACK TO s; GRANT SELECT "
    "ON m TO anon; COMMIT": "MS-GRANT-WIDE",
    "SAVEPOINT s": "MT-TX-CONTROL",
    "CREATE UNIQUE INDEX CONCURRENTLY i ON t (ref); ALTER TABLE t ADD PRIMARY KEY USING INDEX i": (
        "ML-PK-USING-INDEX-NULLABLE"
    ),
    "CREATE OR REPLACE TRIGGER g AFTER INSERT ON t FOR EACH ROW WHEN (false) EXECUTE FUNCTION f()": "MX-UNSEEN-CALL",
    "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION app.f()": "MX-UNSEEN-CALL",
    "CREATE OR REPLACE FUNCTION f() RETURNS boolean LANGUAGE sql RETURN true": "MS-ONE-ANSWER",
    "CREATE OR REPLACE FUNCTION f() RETURNS boolean LANGUAGE sql AS 'SELECT 1 = 1'": "MS-ONE-ANSWER",
    "CREATE OR REPLACE FUNCTION f() RETURNS boolean LANGUAGE sql AS 'SELECT false'": "MS-ONE-ANSWER",
    "CREATE FUNCTION f() RETURNS boolean LANGUAGE sql AS 'SELECT true'; CREATE POLICY p ON t FOR SELECT TO anon USING "
    "((SELECT f()))": "MS-POLICY-TRUE",
    "ALTER TABLE t ALTER COLUMN a TYPE int USING CASE a WHEN 'x' THEN 1 ELSE 2 END": "MD-ALTER-NARROW",
    "ALTER TABLE t ALTER COLUMN a TYPE boolean USING a = 'yes'": "MD-ALTER-NARROW",
    "ALTER TABLE t ALTER COLUMN a TYPE int USING coalesce(a, 0)": "MD-ALTER-NARROW",
    "ALTER TABLE t ALTER COLUMN a TYPE text USING a ->> 'name'": "MD-ALTER-NARROW",
    "ALTER TABLE t ALTER COLUMN a TYPE text USING a[1]": "MD-ALTER-NARROW",
    "ALTER TABLE t ALTER COLUMN a TYPE int USING nullif(a, 'none')::int": "MD-ALTER-NARROW",
    "DO $$ DECLARE n text; BEGIN FOREACH n IN ARRAY ARRAY['a', 'b'] LOOP EXECUTE format('DROP TABLE %I', n); END LOOP; "
    "END $$": "MD-DROP-TABLE",
    "CREATE FUNCTION f() RETURNS SETOF auth.users LANGUAGE sql SECURITY DEFINER SET search_path = '' AS "
    "'SELECT * FROM auth.users'": "MS-DEFINER-OPEN",
    "CREATE POLICY p ON t FOR SELECT USING (true)": "MS-POLICY-TRUE",
    "CREATE POLICY p ON storage.objects FOR SELECT TO anon USING (id IS NOT NULL)": "MS-POLICY-TRUE",
    "CREATE POLICY p ON t FOR DELETE TO authenticated USING ((SELECT auth.uid()) IS NOT NULL)": "MS-POLICY-TRUE",
    "CREATE POLICY p ON t FOR UPDATE USING ('authenticated'::text = auth.role())": "MS-POLICY-TRUE",
    "CREATE POLICY p ON t USING (auth.role() IN ('anon', 'authenticated') OR a = 1)": "MS-POLICY-TRUE",
    "CREATE POLICY p ON t USING ((auth.jwt() -> 'user_metadata' ->> 'role') = 'admin')": "MS-POLICY-METADATA",
    "CREATE MATERIALIZED VIEW v AS SELECT email FROM auth.users": "MS-VIEW-DEFINER",
    "CREATE MATERIALIZED VIEW v AS WITH x AS (TABLE vault.decrypted_secrets) TABLE x": "MS-VIEW-DEFINER",
    "CREATE TABLE v AS SELECT email FROM auth.users": "MS-RLS-MISSING",
    "CREATE TABLE v AS TABLE auth.users": "MS-RLS-MISSING",
    "SELECT email INTO v FROM auth.users": "MS-RLS-MISSING",
    "ALTER EXTENSION citext SET SCHEMA app": "MC-SET-SCHEMA",
    "SET zero_damaged_pages = on": "MD-CATALOG-MODS",
    "SELECT set_config('ignore_checksum_failure', 'on', false)": "MD-CATALOG-MODS",
    "GRANT SET ON PARAMETER log_statement TO r": "MS-GRANT-WIDE",
    "GRANT ALTER SYSTEM ON PARAMETER log_statement TO r": "MS-GRANT-WIDE",
    ASKED + "auth.uid() IS NOT NULL": "MS-ONE-ANSWER",
    ASKED + "(SELECT auth.uid()) IS NOT NULL": "MS-ONE-ANSWER",
    ASKED + "auth.role() = 'authenticated'": "MS-ONE-ANSWER",
    ASKED + "d IS NULL OR auth.uid() IS NOT NULL": "MS-ONE-ANSWER",
    "CREATE FUNCTION f(d uuid) RETURNS boolean LANGUAGE sql AS $$ SELECT auth.uid() IS NOT NULL $$; "
    "CREATE POLICY p ON t FOR UPDATE TO authenticated USING (f(id))": "MS-POLICY-TRUE",
}
QUIET = [
    "BEGIN; SAVEPOINT s; CREATE TABLE n (a int PRIMARY KEY); RELEASE s; COMMIT",
    "CREATE SCHEMA s; DROP SCHEMA s",
    "CREATE SCHEMA s; ALTER SCHEMA s OWNER TO me; CREATE TYPE s.m AS ENUM ('a'); ALTER TYPE s.m OWNER TO me",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION f() OWNER TO postgres",
    "CREATE TABLE n (a int PRIMARY KEY); CREATE TABLE m (a int PRIMARY KEY); DO $$ DECLARE names text[] := "
    "ARRAY['n', 'm']; r text; BEGIN FOREACH r IN ARRAY names LOOP EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL "
    "SECURITY', r); END LOOP; END $$",
    "CREATE FUNCTION f() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "CREATE OR REPLACE FUNCTION f(a int) RETURNS boolean LANGUAGE sql AS 'SELECT a > 1'",
    "CREATE UNIQUE INDEX CONCURRENTLY i ON t (id); ALTER TABLE t ADD PRIMARY KEY USING INDEX i",
    "CREATE TABLE n (id serial); INSERT INTO n VALUES (5); SELECT setval('public.n_id_seq'::regclass, 5)",
    "CREATE TABLE n (id serial); ALTER TABLE n ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON n USING (id = uid()); "
    "GRANT ALL ON n TO authenticated; GRANT USAGE ON SEQUENCE n_id_seq TO authenticated",
    "CREATE SCHEMA s; GRANT USAGE ON SCHEMA s TO anon",
    "CREATE SCHEMA s; CREATE TABLE s.n (a int); DROP SCHEMA s CASCADE",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION f() RENAME TO g; SELECT g()",
    "BEGIN; ALTER TABLE t ADD x int; UPDATE t SET x = 1 WHERE email IN ('a', 'b'); COMMIT",
    "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT role "
    "FROM public.m WHERE id = auth.uid()'; GRANT EXECUTE ON FUNCTION f() TO authenticated",
    "CREATE FUNCTION f(i int) RETURNS void LANGUAGE sql AS 'UPDATE t SET a = 1 WHERE id = i'; SELECT f(5)",
    "UPDATE categories SET title = 'x' WHERE category_id = 5",
    "INSERT INTO storage.buckets (id, name, public) VALUES ('a', 'a', false) ON CONFLICT (id) DO NOTHING",
    "CREATE POLICY p ON t FOR UPDATE TO authenticated USING (auth.uid() IS NOT NULL AND owner = auth.uid())",
    "CREATE POLICY p ON t USING (auth.role() = 'service_role')",
    "CREATE POLICY p ON t USING (is_member(auth.uid(), team))",
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.a < 0 THEN RAISE EXCEPTION 'x'; END IF; "
    "RETURN new; END $$; CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()",
    "-- +goose Up\nCREATE TABLE n (id int PRIMARY KEY);\n-- +goose Down\n",
    "SET lock_timeout = '2s'; ALTER TABLE t ADD COLUMN x int; RESET lock_timeout",
    "BEGIN; SET LOCAL lock_timeout = '2s'; ALTER TABLE t ADD COLUMN x int; RESET lock_timeout; COMMIT",
    "SET lock_timeout = '5s'; SET statement_timeout = 0; CREATE INDEX CONCURRENTLY i ON t (a)",
    "SET statement_timeout = 0; ALTER TABLE t VALIDATE CONSTRAINT c",
    "CREATE INDEX i ON ONLY p (a); CREATE INDEX CONCURRENTLY i1 ON p1 (a); ALTER INDEX i ATTACH PARTITION i1",
    "CREATE TYPE m2 AS ENUM ('a'); ALTER TYPE m2 RENAME TO m",
    "ALTER SEQUENCE s NO MAXVALUE",
    "CREATE ROLE web NOLOGIN",
    "ALTER TABLE t SET (autovacuum_enabled = on)",
    "CREATE TABLE f (id int); ALTER TABLE f ADD COLUMN n text NOT NULL",
    "ALTER TABLE t ADD COLUMN n int DEFAULT 1; ALTER TABLE t ALTER COLUMN n DROP DEFAULT",
    "BEGIN; CREATE TABLE w AS SELECT 1 AS a; INSERT INTO l SELECT a FROM w; DROP TABLE w; COMMIT",
    "BEGIN; CREATE TABLE w (a int); INSERT INTO l SELECT a FROM w; ALTER TABLE w RENAME TO v; COMMIT",
    "BEGIN; INSERT INTO l SELECT a FROM w; ALTER TABLE t ADD x int; COMMIT",
    "CREATE MATERIALIZED VIEW reporting.v AS SELECT email FROM auth.users",
    "CREATE MATERIALIZED VIEW v AS SELECT a FROM orders",
    "CREATE TABLE v AS SELECT email FROM auth.users; ALTER TABLE v ENABLE ROW LEVEL SECURITY",
    "CREATE TABLE private.v AS SELECT email FROM auth.users",
    "ALTER EXTENSION vector SET SCHEMA extensions",
    "SET zero_damaged_pages = off",
    ASKED + "auth.uid() = d",
    ASKED + "auth.uid() IS NOT NULL AND d IS NOT NULL",
    ASKED + "d IS NOT NULL",
    ASKED + "auth.uid() IS NOT NULL AND $1 > ''",
    "CREATE OR REPLACE FUNCTION f() RETURNS boolean LANGUAGE sql AS $$ SELECT auth.uid() IS NOT NULL $$",
    "CREATE TABLE w (a int); CREATE RULE r AS ON DELETE TO w DO INSTEAD NOTHING; ALTER TABLE w DISABLE RULE r",
]


@pytest.mark.parametrize("text", FOUND)
def test_the_same_effect_is_judged_alike(text: str) -> None:
    assert FOUND[text] in {finding.rule for finding in analyse(text.encode()).findings}


@pytest.mark.parametrize("text", QUIET)
def test_what_loses_nothing_and_stops_nobody_is_left_alone(text: str) -> None:
    assert {finding.rule for finding in analyse(text.encode()).findings if finding.severity != CONVENTION} == set()


def test_a_renamed_type_is_named() -> None:
    texts = ("ALTER TYPE mood RENAME TO x", "ALTER DOMAIN app.mood RENAME TO x", "ALTER FUNCTION mood() RENAME TO x")

    assert all("mood:" in analyse(text.encode()).findings[0].message for text in texts)


UNTOLD = {
    "ALTER TABLE t ALTER CONSTRAINT fk DEFERRABLE": "ACCESS EXCLUSIVE",
    "ALTER TABLE t RENAME CONSTRAINT c TO d": "ACCESS EXCLUSIVE",
    "ALTER TABLE t ALTER COLUMN id SET GENERATED BY DEFAULT": "ACCESS EXCLUSIVE",
    "ALTER TABLE t ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (START WITH 900)": "ACCESS EXCLUSIVE",
    "ALTER TABLE t OF pair": "ACCESS EXCLUSIVE",
    "ALTER TABLE t SET WITHOUT CLUSTER": "SHARE UPDATE EXCLUSIVE",
    "ALTER SEQUENCE s INCREMENT BY 2": "SHARE ROW EXCLUSIVE",
}


@pytest.mark.parametrize("text", UNTOLD)
def test_no_lock_goes_untold(text: str) -> None:
    findings = analyse(text.encode()).findings

    assert UNTOLD[text] in {finding.lock for finding in findings}
    assert {finding.severity for finding in findings} == {CONVENTION}


# Kinds of statement whose every form loses nothing, shuts nobody out and changes nobody's answers.
HARMLESS_KINDS = """AlterObjectDependsStmt AlterStatsStmt AlterTableSpaceOptionsStmt CheckPointStmt ClosePortalStmt
ConstraintsSetStmt CreateOpFamilyStmt CreateStatsStmt DeallocateStmt FetchStmt ListenStmt NotifyStmt UnlistenStmt
VariableShowStmt"""


def test_every_kind_of_statement_has_a_rule_or_is_harmless() -> None:
    kinds = {kind for kind in KINDS if not kind.startswith("AT_")}

    assert kinds - HANDLERS.keys() == set(HARMLESS_KINDS.split())
