"""A severity follows what is lost and who waits, not the verb: the same effect by another command is judged alike."""

from __future__ import annotations

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.model import CONVENTION

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
}
QUIET = [
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
    "ALTER TABLE t ALTER COLUMN id SET GENERATED ALWAYS": "ACCESS EXCLUSIVE",
    "ALTER TABLE t ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY": "ACCESS EXCLUSIVE",
    "ALTER TABLE t OF pair": "ACCESS EXCLUSIVE",
    "ALTER TABLE t SET WITHOUT CLUSTER": "SHARE UPDATE EXCLUSIVE",
    "ALTER SEQUENCE s INCREMENT BY 2": "SHARE ROW EXCLUSIVE",
}


@pytest.mark.parametrize("text", UNTOLD)
def test_no_lock_goes_untold(text: str) -> None:
    findings = analyse(text.encode()).findings

    assert UNTOLD[text] in {finding.lock for finding in findings}
    assert {finding.severity for finding in findings} == {CONVENTION}
