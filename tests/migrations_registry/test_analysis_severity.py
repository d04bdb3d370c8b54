"""A severity follows what is lost and who waits, not the verb: the same effect by another command is judged alike."""

from __future__ import annotations

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.model import CONVENTION
from migrations_registry.analysis.rule_registry import HANDLERS
from tests.migrations_registry.truth.kinds import KINDS

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
    "CREATE POLICY p ON t FOR SELECT USING (true)": "MS-POLICY-TRUE",
    "CREATE POLICY p ON storage.objects FOR SELECT TO anon USING (id IS NOT NULL)": "MS-POLICY-TRUE",
    "CREATE POLICY p ON t FOR DELETE TO authenticated USING ((SELECT auth.uid()) IS NOT NULL)": "MS-POLICY-TRUE",
    "CREATE POLICY p ON t FOR UPDATE USING ('authenticated'::text = auth.role())": "MS-POLICY-TRUE",
    "CREATE POLICY p ON t USING (auth.role() IN ('anon', 'authenticated') OR a = 1)": "MS-POLICY-TRUE",
    "CREATE POLICY p ON t USING ((auth.jwt() -> 'user_metadata' ->> 'role') = 'admin')": "MS-POLICY-METADATA",
}
QUIET = [
    "CREATE TABLE n (id serial); INSERT INTO n VALUES (5); SELECT setval('public.n_id_seq'::regclass, 5)",
    "CREATE TABLE n (id serial); ALTER TABLE n ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON n USING (id = uid()); "
    "GRANT ALL ON n TO authenticated; GRANT USAGE ON SEQUENCE n_id_seq TO authenticated",
    "CREATE SCHEMA s; GRANT USAGE ON SCHEMA s TO anon",
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
    "ALTER TABLE child INHERIT par": "ACCESS EXCLUSIVE",
    "ALTER TABLE child NO INHERIT par": "ACCESS EXCLUSIVE",
    "ALTER TABLE t RENAME CONSTRAINT c TO d": "ACCESS EXCLUSIVE",
    "ALTER TABLE t ALTER COLUMN id SET GENERATED BY DEFAULT": "ACCESS EXCLUSIVE",
    "ALTER TABLE t ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (START WITH 900)": "ACCESS EXCLUSIVE",
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
