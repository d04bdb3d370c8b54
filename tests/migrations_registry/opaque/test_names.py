"""A name means what it resolves to: what may not be there, or is another one of that name, hides nothing."""

from __future__ import annotations

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.risk import DESTRUCTIVE, ROUTINE

# Each seems to make `users`, and leaves the permanent public.users where it was.
SEEMS_TO_MAKE = {
    "another schema": "CREATE TABLE app.users (id int)",
    "another schema by the path": "SET search_path = app; CREATE TABLE users (id int); SET search_path = public",
    "another schema by a call": "SELECT set_config('search_path', 'app', false); CREATE TABLE users (id int)",
    "an unknown path": "SELECT set_config('search_path', current_setting('x.y'), false); CREATE TABLE users (id int)",
    "a schema's element": "CREATE SCHEMA app CREATE TABLE users (id int)",
    "temporary": "CREATE TEMP TABLE users (id int)",
    "temporary by its schema": "CREATE TABLE pg_temp.users (id int)",
    "temporary from a query": "CREATE TEMP TABLE users AS SELECT 1 AS id",
    "temporary by INTO": "SELECT 1 AS id INTO TEMP users",
    "a temporary view": "CREATE TEMP VIEW users AS SELECT 1 AS id",
    "a temporary sequence": "CREATE TEMP SEQUENCE users",
    "IF NOT EXISTS": "CREATE TABLE IF NOT EXISTS users (id int)",
    "from a query IF NOT EXISTS": "CREATE TABLE IF NOT EXISTS users AS SELECT 1 AS id",
    "a branch": "DO $$ BEGIN IF to_regclass('users') IS NULL THEN CREATE TABLE users (id int); END IF; END $$",
    "a branch not taken": "DO $$ BEGIN IF false THEN NULL; ELSE CREATE TABLE users (id int); END IF; END $$",
    "a case": "DO $$ BEGIN CASE 1 WHEN 2 THEN CREATE TABLE users (id int); ELSE NULL; END CASE; END $$",
    "a loop": "DO $$ BEGIN FOR i IN 1..0 LOOP CREATE TABLE users (id int); END LOOP; END $$",
    "a caught error": "DO $$ BEGIN CREATE TABLE users (id int); EXCEPTION WHEN duplicate_table THEN NULL; END $$",
    "a caught error inside": "DO $$ BEGIN BEGIN CREATE TABLE users (id int); EXCEPTION WHEN others THEN NULL; END; END "
    "$$",
    "a handler": "DO $$ BEGIN NULL; EXCEPTION WHEN others THEN CREATE TABLE users (id int); END $$",
    "after a return": "DO $$ BEGIN IF now() > '1999-01-01' THEN RETURN; END IF; CREATE TABLE users (id int); END $$",
    "a left block": "DO $$ BEGIN <<b>> BEGIN EXIT b; CREATE TABLE users (id int); END b; END $$",
    "a function": "CREATE FUNCTION mk() RETURNS void LANGUAGE plpgsql AS $$ BEGIN IF false THEN CREATE TABLE users "
    "(id int); END IF; END $$; SELECT mk()",
    "a function for no row": "CREATE FUNCTION mk() RETURNS void LANGUAGE sql AS 'CREATE TABLE users (id int)'; "
    "SELECT mk() WHERE false",
    "a text in a branch": "DO $$ BEGIN IF false THEN EXECUTE 'CREATE TABLE users (id int)'; END IF; END $$",
    "rolled back": "BEGIN; CREATE TABLE users (id int); ROLLBACK",
    "rolled back to": "BEGIN; SAVEPOINT s; CREATE TABLE users (id int); ROLLBACK TO s; COMMIT",
    "renamed away": "CREATE TABLE users (id int); ALTER TABLE users RENAME TO gone; ALTER TABLE old RENAME TO users",
    "moved away": "CREATE TABLE users (id int); ALTER TABLE users SET SCHEMA app",
    "dropped again": "CREATE TABLE users (id int); DROP TABLE users",
    "gone at COMMIT": "BEGIN; CREATE TEMP TABLE users (id int) ON COMMIT DROP; COMMIT",
    "only prepared": "PREPARE p AS SELECT 1; EXPLAIN CREATE TABLE users AS SELECT 1",
    "a function of that name": "CREATE FUNCTION users() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a type of that name": "CREATE TYPE users AS ENUM ('a')",
}
DESTROYS = (
    "DROP TABLE public.users",
    "DELETE FROM public.users",
    "TRUNCATE public.users",
    "UPDATE public.users SET id = 0",
    "ALTER TABLE public.users DROP COLUMN id",
    "DO $$ BEGIN DROP TABLE public.users; END $$",
    "DO $$ BEGIN EXECUTE 'TRUNCATE public.users'; END $$",
    "WITH gone AS (DELETE FROM public.users RETURNING *) SELECT * FROM gone",
)
# These make no temporary relation, so the bare name means the permanent one too (or another one that is not new).
BARE = [
    case
    for case in SEEMS_TO_MAKE
    if not case.startswith(("temporary", "a temporary", "another schema by a call", "an unknown path"))
]


@pytest.mark.parametrize("case", SEEMS_TO_MAKE)
def test_what_seems_to_be_made_hides_no_loss(case: str) -> None:
    texts = [f"{SEEMS_TO_MAKE[case]}; {each}" for each in DESTROYS]

    assert [text for text in texts if analyse(text.encode()).risk != DESTRUCTIVE] == []


@pytest.mark.parametrize("case", BARE)
def test_nor_under_its_bare_name(case: str) -> None:
    texts = [f"{SEEMS_TO_MAKE[case]}; {each.replace('public.users', 'users')}" for each in DESTROYS]

    assert [text for text in texts if analyse(text.encode()).risk != DESTRUCTIVE] == []


SURELY_MADE = {
    "a table": "CREATE TABLE users (id int)",
    "with its schema": "CREATE TABLE public.users (id int)",
    "temporary": "CREATE TEMP TABLE users (id int)",
    "temporary, by its schema": "CREATE TEMP TABLE pg_temp.users (id int)",
    "renamed": "CREATE TABLE fresh (id int); ALTER TABLE fresh RENAME TO users",
    "moved here": "CREATE TABLE app.users (id int); ALTER TABLE app.users SET SCHEMA public",
    "from a query": "CREATE TABLE users AS SELECT 1 AS id",
    "kept by COMMIT": "BEGIN; CREATE TABLE users (id int); COMMIT",
}


@pytest.mark.parametrize("case", SURELY_MADE)
def test_what_was_surely_made_here_is_nobodys_loss(case: str) -> None:
    text = f"{SURELY_MADE[case]}; CREATE INDEX ON users (id); DROP TABLE users"
    findings = analyse(text.encode(), assume_in_transaction="BEGIN" not in text).findings

    assert {finding.rule for finding in findings if finding.severity == DESTRUCTIVE} == set()


@pytest.mark.parametrize(
    "text",
    [
        "DO $$ BEGIN CREATE TABLE t (id int); DELETE FROM t; DROP TABLE t; END $$",
        "DO $$ BEGIN IF true THEN CREATE TEMP TABLE t (id int); TRUNCATE t; DROP TABLE t; END IF; END $$",
        "CREATE TABLE t (id int); DO $$ BEGIN DROP TABLE t; END $$",
        "SET LOCAL search_path = public; CREATE TABLE t (id int); DROP TABLE public.t",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT f(); DROP FUNCTION f()",
    ],
)
def test_inside_of_its_own_block_it_is_made(text: str) -> None:
    assert analyse(text.encode(), as_runner=True).risk == ROUTINE


@pytest.mark.parametrize(
    "text",
    [
        "SET search_path = app, pg_catalog; SELECT lower('x')",
        "CREATE TYPE purge AS ENUM ('a'); SELECT purge()",
        'SELECT "trim"(1)',
        "SET search_path = app; SELECT similarity('a', 'b')",
        "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT f()",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT app.f()",
        "CREATE FUNCTION upper(int) RETURNS int LANGUAGE sql AS 'DELETE FROM users; SELECT 1'; SELECT upper(1)",
        "CREATE FUNCTION h(text) RETURNS void LANGUAGE sql AS 'DELETE FROM users'; "
        "CREATE FUNCTION h(int) RETURNS void LANGUAGE sql AS 'SELECT 1'; SELECT h('x'::text)",
        "CREATE FUNCTION wipe(users) RETURNS int LANGUAGE sql AS 'DELETE FROM users; SELECT 1'; "
        "SELECT u.wipe FROM users u",
        "DO $$ BEGIN CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; EXCEPTION WHEN others THEN NULL; "
        "END $$; SELECT f()",
        "CREATE TEMP TABLE users (id int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "DELETE FROM users; RETURN NEW; END $$; CREATE TRIGGER t AFTER INSERT ON r FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql SET search_path = app AS "
        "$$ BEGIN DELETE FROM users; END $$; "
        "CREATE TABLE users (id int); SELECT f()",
    ],
)
def test_a_function_is_the_one_that_its_name_reaches(text: str) -> None:
    assert analyse(text.encode()).risk == DESTRUCTIVE
