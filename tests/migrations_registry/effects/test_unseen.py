"""What the measure cannot see is refused in the text, or where a role could do it unseen."""

from __future__ import annotations

import pytest

from migrations_registry.effects.unseen import refusals, refused_role
from providers.postgres.migrate.target_behaviour import unseen_powers
from tests.migrations_registry.effects.bench import Bench

REFUSED = {
    "COPY t FROM PROGRAM 'ls'": "runs a program on the server",
    "COPY t TO '/tmp/x'": "reads or writes a file of the server",
    "COPY t TO STDOUT": "sends rows to a client that does not read them",
    "SET ROLE other": "takes another role",
    "SET SESSION AUTHORIZATION other": "takes another role",
    "SET LOCAL session_replication_role = replica": "switches triggers and foreign keys off",
    "SELECT set_config('session_replication_role', 'replica', true)": "switches triggers and foreign keys off",
    "SELECT 1; SELECT pg_catalog.set_config('role', 'x', false)": "line 1 takes another role",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET track_counts = off AS 'SELECT 1'": "the server's counting",
    "ALTER FUNCTION f() SET role = other": "takes another role",
    "SELECT dblink_exec('host=x', 'DROP TABLE t')": "calls dblink_exec, which acts on other servers",
    "INSERT INTO t SELECT net.http_post('https://x')": "calls net.http_post, which acts on other servers",
    "DO $$ BEGIN PERFORM lo_unlink(1); END $$": "calls lo_unlink, which writes large objects",
    "SELECT pg_advisory_unlock_all()": "gives up locks by which the runner knows",
    "SELECT pg_create_physical_replication_slot('x')": "acts on replication at once",
    "SELECT pg_terminate_backend(1)": "acts on the server at once",
    "CREATE INDEX CONCURRENTLY ON t (public.lower(a))": "runs public.lower outside of a transaction",
    "CREATE INDEX CONCURRENTLY ON t (a) WHERE wipe(a)": "runs wipe outside of a transaction",
    "SELECT pg_stat_reset()": "acts on the server at once",
    "SELECT pg_read_file('/etc/passwd')": "reads or writes files of the server",
    "CREATE FOREIGN TABLE t (id int) SERVER s": "whose rows are not counted",
    "CREATE FUNCTION f() RETURNS oid LANGUAGE sql AS 'SELECT lo_create(1)';\nSELECT f()": "line 2 calls lo_create",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_text_that_acts_unseen_is_refused(text: str) -> None:
    assert any(REFUSED[text] in said for said in refusals(text.encode())), refusals(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "RESET ROLE",
        "CREATE INDEX CONCURRENTLY ON t (lower(a), pg_catalog.upper(b))",
        "CREATE INDEX ON t (wipe(a))",
        "SET search_path = public; SET lock_timeout = '2s'",
        "SELECT pg_advisory_xact_lock(1)",
        "NOTIFY pgrst, 'reload schema'",
        "SELECT lower('lo_unlink(1)'), 'COPY t FROM PROGRAM'",
        "COPY t (a) FROM STDIN",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = '' AS 'SELECT 1'",
        "not SQL at all",
    ],
)
def test_an_ordinary_text_is_not(text: str) -> None:
    assert refusals(text.encode()) == ()


def test_an_ordinary_owner_can_do_nothing_unseen(bench: Bench) -> None:
    assert unseen_powers(bench.other) == []


def test_a_superuser_could(superuser: Bench) -> None:
    said = unseen_powers(superuser.other)
    assert "it is, or may become, a superuser" in said
    assert "it may set track_counts" in said
    assert "its role could act unseen there: it is, or may become, a superuser" in refused_role(said, opaque=True)
    assert refused_role(said, opaque=False) == ""


def test_powers_that_were_granted_are_named(superuser: Bench, bench: Bench) -> None:
    superuser.own.execute("GRANT pg_execute_server_program TO effects_owner")
    superuser.own.execute("GRANT SET ON PARAMETER session_replication_role TO effects_owner")
    superuser.own.execute("CREATE EXTENSION postgres_fdw; CREATE SERVER away FOREIGN DATA WRAPPER postgres_fdw")
    superuser.own.execute("GRANT USAGE ON FOREIGN SERVER away TO effects_owner; CREATE EXTENSION dblink SCHEMA public")
    said = unseen_powers(bench.other)
    superuser.own.execute("DROP EXTENSION postgres_fdw CASCADE; DROP EXTENSION dblink")
    superuser.own.execute("REVOKE SET ON PARAMETER session_replication_role FROM effects_owner")
    superuser.own.execute("REVOKE pg_execute_server_program FROM effects_owner")
    assert said == [
        "it may run programs on the server (pg_execute_server_program)",
        "it may use the foreign server away",
        "it may call the extension dblink, which acts outside of the transaction",
        "it may set session_replication_role",
    ]
