"""The guard's own table of risks: a file that was voted on as less than its effects need is rolled back."""

from __future__ import annotations

import pytest

from migrations_registry.analysis.model import DESTRUCTIVE
from migrations_registry.analysis.risk import RISKS, ROUTINE, SENSITIVE
from migrations_registry.apply.measured import NotVotedOn
from tests.migrations_registry.effects.bench import Bench

SPARE = (
    "CREATE TABLE filled (id int); INSERT INTO filled SELECT generate_series(1, 9); CREATE TABLE hollow (id int);"
    "CREATE FUNCTION calc() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE SEQUENCE spare;"
    "CREATE VIEW careful WITH (security_invoker = on) AS SELECT id FROM target;"
    "CREATE RULE quiet AS ON DELETE TO hollow DO INSTEAD NOTHING; GRANT SELECT ON keep TO pg_monitor;"
    "CREATE POLICY two ON keep USING (id > 0); ALTER TABLE keep_1 DISABLE TRIGGER keep_touch"
)
NEEDS = {
    DESTRUCTIVE: [
        "DELETE FROM children WHERE id = 1",
        "TRUNCATE filled",
        "DROP TABLE hollow",
        "ALTER TABLE keep DROP COLUMN label",
        "DROP MATERIALIZED VIEW counted",
        "DROP SEQUENCE spare",
        "SELECT setval('counter', 1)",
        "DROP POLICY own ON keep",
        "ALTER POLICY own ON keep USING (id > 5)",
        "DROP POLICY two ON keep; CREATE POLICY two ON keep USING (true)",
        "ALTER TABLE keep DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE keep FORCE ROW LEVEL SECURITY",
        "ALTER TABLE keep DISABLE TRIGGER keep_touch",
        "ALTER TABLE keep ENABLE REPLICA TRIGGER keep_touch",
        "ALTER TABLE keep DISABLE TRIGGER keep_touch; UPDATE keep SET v = 'y' WHERE id = 1;"
        " ALTER TABLE keep ENABLE TRIGGER keep_touch",
        "GRANT SELECT ON keep TO PUBLIC",
        "GRANT SELECT (v) ON keep TO PUBLIC",
        "GRANT SELECT ON keep TO pg_monitor WITH GRANT OPTION",
        "GRANT ALL ON SCHEMA public TO PUBLIC",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
        "ALTER FUNCTION calc() SECURITY DEFINER",
        "CREATE FUNCTION mighty() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "CREATE OR REPLACE VIEW careful AS SELECT id FROM target",
        "ALTER VIEW careful SET (security_invoker = off)",
    ],
    SENSITIVE: [
        "ALTER TABLE children ALTER COLUMN keep_id TYPE bigint",
        "ALTER TABLE keep DROP CONSTRAINT v_short",
        "DROP INDEX keep_v",
        "DROP VIEW seen",
        "DROP FUNCTION calc()",
        "DROP TRIGGER keep_touch ON keep",
        "DROP TYPE mood",
        "ALTER TABLE keep RENAME TO kept",
        "ALTER TABLE keep RENAME COLUMN v TO w",
        "CREATE SCHEMA app; ALTER TABLE hollow SET SCHEMA app",
        "ALTER TABLE hollow DISABLE RULE quiet",
        "CREATE RULE r AS ON DELETE TO target DO INSTEAD NOTHING",
        "REVOKE SELECT ON keep FROM pg_monitor",
        "ALTER TABLE parts DETACH PARTITION parts_1",
        "ALTER TABLE keep REPLICA IDENTITY FULL",
        "ALTER ROLE CURRENT_USER SET work_mem = '8MB'",
        "REFRESH MATERIALIZED VIEW counted",
    ],
    ROUTINE: [
        "CREATE TABLE fresh (id int); INSERT INTO fresh VALUES (1); DELETE FROM fresh; DROP TABLE fresh",
        "ALTER TABLE keep ADD COLUMN note text",
        "CREATE INDEX ON keep (label)",
        "UPDATE target SET a = 2 WHERE id = 1",
        "UPDATE parts SET day = 15 WHERE day = 3",
        "GRANT SELECT ON keep TO pg_read_all_data",
        "ALTER TABLE keep_1 ENABLE TRIGGER keep_touch",
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        "DROP POLICY own ON keep; CREATE POLICY own ON keep USING (true)",
        "DROP TRIGGER keep_touch ON keep;"
        " CREATE TRIGGER keep_touch BEFORE UPDATE ON keep FOR EACH ROW EXECUTE FUNCTION touch()",
        "CREATE OR REPLACE TRIGGER keep_touch BEFORE UPDATE ON keep FOR EACH ROW EXECUTE FUNCTION touch()",
        "ALTER TYPE mood ADD VALUE 'fine'",
        "COMMENT ON TABLE keep IS 'kept'",
        "CREATE FUNCTION mild() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1'",
        "SELECT setval('counter', 900)",
    ],
}
CASES = [(text, risk) for risk, texts in NEEDS.items() for text in texts]


@pytest.mark.parametrize(("text", "risk"), CASES)
def test_each_effect_needs_its_votes(text: str, risk: str, spoiled: Bench) -> None:
    spoiled.own.execute(f"SET search_path = public; {SPARE}")
    less = [each for each in RISKS if RISKS.index(each) < RISKS.index(risk)]

    spoiled.judge(text, risk)

    for each in less:
        with pytest.raises(NotVotedOn, match="what nobody was asked about"):
            spoiled.judge(text, each)


def test_a_rewrite_of_a_large_table_needs_more(spoiled: Bench) -> None:
    spoiled.own.execute("INSERT INTO public.target SELECT g FROM generate_series(2, 120000) g; ANALYZE public.target")
    text = "ALTER TABLE target ALTER COLUMN calm TYPE text"

    with pytest.raises(NotVotedOn, match=r"rewrote public\.target"):
        spoiled.judge(text, SENSITIVE)

    assert "rewrote public.target" in spoiled.judge(text, DESTRUCTIVE)
