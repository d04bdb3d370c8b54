"""The same effect in other words is judged as by its usual ones."""

from __future__ import annotations

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.model import CONVENTION

ALIKE = {
    "ALTER TABLE child INHERIT par": "MC-INHERIT",
    "ALTER TABLE t ALTER a SET DEFAULT NULL": "MC-DROP-DEFAULT",
    "ALTER TABLE t ALTER a SET DEFAULT NULL::text": "MC-DROP-DEFAULT",
    "ALTER TABLE t ADD x int NOT NULL DEFAULT NULL": "MV-ADD-NOT-NULL-NO-DEFAULT",
    "ALTER ROLE web PASSWORD NULL": "MS-LOCKS-OUT",
    "UPDATE t SET a = a": "ML-UPDATE-FILL",
    "UPDATE t SET a = a WHERE b > 5": "MD-UPDATE-MANY",
    "UPDATE t SET a = a, b = a": "MD-UPDATE-ALL",
    "UPDATE t SET a = s.a FROM s": "MD-UPDATE-ALL",
    "UPDATE t SET a = a FROM s": "MD-UPDATE-ALL",
    "UPDATE t SET (a, b) = (b, a)": "MD-UPDATE-ALL",
    "ALTER GROUP service_role ADD USER web": "MS-GRANT-ROLE",
    "CREATE ROLE web LOGIN IN ROLE service_role": "MS-GRANT-ROLE",
    "CREATE USER web IN GROUP service_role": "MS-GRANT-ROLE",
    "ALTER GROUP service_role DROP USER web": "MS-REVOKE",
    "ALTER ROLE service_role NOBYPASSRLS": "MS-REVOKE",
    "ALTER ROLE web NOINHERIT": "MS-REVOKE",
    "ALTER ROLE web NOCREATEDB NOCREATEROLE": "MS-REVOKE",
    "ALTER ROLE authenticator INHERIT": "MS-ROLE",
    "ALTER FUNCTION f() SECURITY INVOKER": "MS-REVOKE",
    "ALTER SEQUENCE s CYCLE": "MV-SEQUENCE-LIMIT",
    "ALTER SEQUENCE s INCREMENT BY -1": "MV-SEQUENCE-LIMIT",
    "ALTER TABLE t ALTER COLUMN id SET MAXVALUE 100": "MV-SEQUENCE-LIMIT",
    "ALTER TABLE t ALTER COLUMN id SET CYCLE": "MV-SEQUENCE-LIMIT",
    "ALTER TABLE t ALTER COLUMN id SET INCREMENT BY -1": "MV-SEQUENCE-LIMIT",
    "ALTER TABLE t ALTER CONSTRAINT c NOT ENFORCED": "MD-DROP-CONSTRAINT",
    "ALTER PUBLICATION p ADD TABLES IN SCHEMA public": "MC-PUBLISH-ALL",
    "ALTER PUBLICATION p SET TABLES IN SCHEMA public": "MC-PUBLISH-ALL",
    "ALTER FOREIGN TABLE f OPTIONS (SET object 'b')": "MS-FOREIGN-SERVER",
    "ALTER FOREIGN TABLE f ALTER COLUMN a OPTIONS (SET column_name 'x')": "MS-FOREIGN-SERVER",
    "ALTER VIEW v SET (security_barrier = false)": "MS-VIEW-BARRIER",
    "ALTER VIEW v RESET (security_barrier)": "MS-VIEW-BARRIER",
    "CREATE OR REPLACE FUNCTION pg_catalog.now() RETURNS int LANGUAGE sql AS 'SELECT 1'": "MS-MANAGED-SCHEMA",
}


@pytest.mark.parametrize("text", ALIKE)
def test_other_words_for_it_are_found(text: str) -> None:
    found = {each.rule for each in analyse(text.encode(), pg_version=18).findings if each.severity != CONVENTION}

    assert ALIKE[text] in found
