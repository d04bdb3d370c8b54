"""A role that is not there takes only its own rights away: nobody may do more in what was restored."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest

from backups.policy_spec import PolicySpec
from backups.restore.into_empty import Target, restore
from providers.storage.base import Store
from tests.backups.conftest import exported

pytestmark = pytest.mark.slow

ALL = PolicySpec("whole", "production", ("*",))
MADE = """CREATE ROLE {role}; CREATE ROLE "{role};b";
CREATE TABLE t(x int, secret int);
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TYPE mood AS ENUM ('a');
CREATE SCHEMA s;
REVOKE ALL ON FUNCTION f() FROM PUBLIC;
REVOKE ALL ON TYPE mood FROM PUBLIC;
GRANT EXECUTE ON FUNCTION f() TO {role}, "{role};b", anon;
GRANT USAGE ON TYPE mood TO {role}, "{role};b", anon;
GRANT SELECT ON t TO "{role};b", {role}, anon;
GRANT SELECT (x) ON t TO {role}, anon;
GRANT USAGE ON SCHEMA s TO {role}, anon;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO {role}, anon;
INSERT INTO t VALUES (1, 2);
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY everything ON t USING (true);
CREATE POLICY "but: these" ON t AS RESTRICTIVE FOR SELECT TO {role}, "{role};b", anon USING (x <> 1);"""
ASKED = """SELECT has_function_privilege('{who}', 'public.f()', 'EXECUTE'),
 has_type_privilege('{who}', 'public.mood', 'USAGE'), has_table_privilege('{who}', 'public.t', 'SELECT'),
 has_schema_privilege('{who}', 's', 'USAGE')"""
NEW = "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TABLE s.n (x int)"


@pytest.mark.parametrize("new", [False, True])
def test_what_was_taken_from_everybody_stays_taken(new: bool, database, empty_database: str, store: Store) -> None:
    role = f"r{uuid4().hex[:10]}"
    source = database(MADE.format(role=role))
    manifest = exported(source, store, ALL)
    with psycopg.connect(source, autocommit=True) as owner:
        owner.execute(f'DROP OWNED BY {role}, "{role};b"; DROP ROLE {role}, "{role};b"; CREATE ROLE {role}_other')

    done = restore(manifest, store, (), Target(empty_database, new=new))

    with psycopg.connect(empty_database, autocommit=True) as owner:
        owner.execute(NEW)
        may = {who: owner.execute(ASKED.format(who=who)).fetchone() for who in ("anon", f"{role}_other")}
        asked = f"SELECT has_function_privilege('{role}_other', 'public.g()', 'EXECUTE')"
        later = owner.execute(asked + ", has_table_privilege('anon', 's.n', 'SELECT')").fetchone()
        owner.execute(f"DROP ROLE {role}_other; SET ROLE anon")
        seen = owner.execute("SELECT x FROM t").fetchall()
    assert seen == []
    assert may == {"anon": (True, True, True, True), f"{role}_other": (False, False, False, False)}
    assert later == (False, True)
    assert [note for note in done.notes if "grants public.FUNCTION f()" in note], done.notes
