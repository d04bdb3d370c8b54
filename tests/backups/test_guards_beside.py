"""What changes the audit trail's rows from beside: code that guards call otherwise, views, schema, subscriptions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backups.proof.guards import guard_changes
from providers.postgres.connection import Connection
from providers.postgres.schema.generations import as_of, comparable
from tests.backups.test_guards import AUDIT, T, changes_by, rows_of, watched

__all__ = ["watched"]  # the fixture

BESIDE = (
    "CREATE FUNCTION public.same(bigint, bigint) RETURNS bool LANGUAGE sql AS 'select $1 = $2';"
    "CREATE OPERATOR public.=== (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = public.same);"
    "CREATE FUNCTION public.more(bigint, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'select greatest($1, $2)';"
    "CREATE AGGREGATE public.highest(bigint) (SFUNC = public.more, STYPE = bigint);"
    "CREATE OR REPLACE FUNCTION public.guard() RETURNS trigger LANGUAGE plpgsql AS"
    " 'begin if new.sequence_number === 0 then return null; end if; perform highest(1); return new; end';"
    f"CREATE TABLE public.other (n bigint); CREATE TABLE public.root (LIKE {T});"
    "CREATE FUNCTION public.noddl() RETURNS event_trigger LANGUAGE plpgsql AS"
    " 'begin if tg_tag is null then perform 1 from algorithm_audit_trail; end if; end';"
    "CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION public.noddl();"
    f"CREATE VIEW public.seen AS SELECT id, conversion_value FROM {T};"
    "CREATE FUNCTION public.fixes() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'delete from algorithm_audit_trail';"
    "REVOKE EXECUTE ON FUNCTION public.fixes() FROM anon; GRANT EXECUTE ON FUNCTION public.fixes() TO authenticated"
)
WRITES = "update algorithm_audit_trail set conversion_value = 1"
DEFINER = "; CREATE FUNCTION public.w() RETURNS void LANGUAGE sql SECURITY DEFINER AS '{}'"
PL = "; CREATE FUNCTION public.w() RETURNS {} LANGUAGE plpgsql {} AS 'begin {}; return null; end'"
FOUND = [
    ("; CREATE OR REPLACE FUNCTION public.same(bigint, bigint) RETURNS bool LANGUAGE sql AS 'select false'", "same"),
    ("; CREATE OPERATOR public.=== (LEFTARG = bigint, RIGHTARG = int, FUNCTION = pg_catalog.int84eq)", "operator"),
    (
        "; CREATE SCHEMA a; CREATE OPERATOR a.=== (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = int8lt)",
        "operator a.",
    ),
    ("; DROP OPERATOR public.=== (bigint, bigint)", "operator"),
    (
        "; CREATE OR REPLACE FUNCTION public.more(bigint, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'select 0'",
        "more",
    ),
    (
        "; CREATE OR REPLACE FUNCTION public.digest(text, text) RETURNS bytea LANGUAGE sql AS 'select null::bytea'",
        "pgcrypto",
    ),
    ("; CREATE OR REPLACE FUNCTION public.noddl() RETURNS event_trigger LANGUAGE plpgsql AS 'begin end'", "noddl"),
    ("; ALTER EVENT TRIGGER watch DISABLE", "event trigger watch changed"),
    ("; DROP EVENT TRIGGER watch", "event trigger watch is gone"),
    (
        PL.format("event_trigger", "", WRITES)
        + "; CREATE EVENT TRIGGER w ON ddl_command_end EXECUTE FUNCTION public.w()",
        "event trigger w is new",
    ),
    (DEFINER.format(WRITES), "function public.w() is new"),
    (DEFINER.format("delete from public.algorithm_audit_trail"), "w() is new"),
    (PL.format("int", "SECURITY DEFINER", "execute ''truncate public.algorithm_audit_trail''"), "w() is new"),
    (
        PL.format(
            "int", "SECURITY DEFINER", "merge into algorithm_audit_trail using other on true when matched then delete"
        ),
        "w(",
    ),
    (
        "; CREATE FUNCTION public.w() RETURNS void LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC DELETE FROM {0}; END",
        "w() is",
    ),
    ("; GRANT UPDATE ON public.seen TO anon", "UPDATE through public.seen to anon is new"),
    ("; GRANT DELETE ON public.seen TO PUBLIC", "DELETE through public.seen to PUBLIC is new"),
    ("; CREATE VIEW public.v AS SELECT * FROM {0}; GRANT ALL ON public.v TO anon", "UPDATE through public.v to anon"),
    (
        "; CREATE VIEW public.v AS SELECT * FROM public.seen; GRANT UPDATE (id) ON public.v TO anon",
        "through public.v to anon",
    ),
    ("; ALTER VIEW public.seen OWNER TO anon", "through public.seen to anon is new"),
    ("; ALTER SCHEMA public OWNER TO anon", "all that its schema's owner may to anon is new"),
    (
        "; CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p WITH (connect = false, slot_name = NONE)",
        "subscription s is new",
    ),
    (
        "; CREATE RULE r AS ON UPDATE TO public.other DO ALSO UPDATE {0} SET conversion_value = 1",
        "rule r on public.other",
    ),
    ("; CREATE RULE r AS ON INSERT TO public.other DO INSTEAD DELETE FROM {0}", "rule r on public.other"),
    ("ADD CONSTRAINT c FOREIGN KEY (experiment_id) REFERENCES public.experiments ON DELETE CASCADE", "c is new"),
    ("ADD CONSTRAINT c FOREIGN KEY (experiment_id) REFERENCES public.experiments ON UPDATE SET NULL", "c is new"),
    ("INHERIT public.root", "table public.algorithm_audit_trail changed"),
    ("; CREATE TABLE public.heir () INHERITS (public.other, {0})", "table public.heir is new"),
    ("; ALTER ROLE ALL SET session_replication_role = replica", "settings of every role"),
    ("; ALTER ROLE anon CREATEROLE", "right any role to anon is new"),
    ("; GRANT pg_write_server_files TO anon", "to anon is new"),
    ("; GRANT pg_create_subscription TO anon", "to anon is new"),
    ("; GRANT SET ON PARAMETER session_replication_role TO anon", "session_replication_role to anon"),
    ("; GRANT ALTER SYSTEM ON PARAMETER session_replication_role TO anon", "session_replication_role to anon"),
    (PL.format("int", "SECURITY DEFINER", "execute tg_argv[0]"), "w() is new"),
    (PL.format("int", "SECURITY DEFINER", "execute ''update x'' || y"), "w() is new"),
    (PL.format("int", "SECURITY DEFINER", "execute E''trunc\\\\141te x''"), "w() is new"),
    (
        DEFINER.format("insert into algorithm_audit_trail select * from root on conflict (id) do update set id = null"),
        "w() is new",
    ),
    (DEFINER.format("alter table algorithm_audit_trail disable trigger all"), "w() is new"),
    (DEFINER.format("truncate other, only PUBLIC.Algorithm_Audit_Trail"), "w() is new"),
    (DEFINER.format('update "algorithm_audit_trail" set id = id'), "w() is new"),
    (DEFINER.format('delete from U&"\\0061lgorithm_audit_trail"'), "w() is new"),
    (DEFINER.format("with x as (delete from seen returning *) select 1 from x"), "w() is new"),
    (DEFINER.format("create rule x as on insert to other do nothing; grant all on seen to anon"), "w() is new"),
    (
        "; CREATE FUNCTION public.inside() RETURNS void LANGUAGE sql AS 'truncate algorithm_audit_trail'"
        + DEFINER.format("select public.inside()"),
        "function public.inside() is new; function public.w() is new",
    ),
    (
        PL.format("trigger", "", WRITES)
        + "; CREATE TRIGGER x AFTER INSERT ON public.other FOR EACH ROW EXECUTE FUNCTION public.w()",
        "trigger x on public.other is new",
    ),
    ("; CREATE RULE r AS ON UPDATE TO public.other DO ALSO DELETE FROM public.seen", "rule r on public.other is new"),
    ("; GRANT DELETE ON public.experiments TO anon", "right DELETE through public.experiments to anon is new"),
    ("; GRANT DELETE ON public.users TO anon", "right DELETE through public.users to anon is new"),
    ("INHERIT public.root; GRANT UPDATE ON public.root TO anon", "right UPDATE through public.root to anon is new"),
    (
        "; CREATE VIEW public.v AS SELECT 1 AS a; GRANT UPDATE ON public.v TO anon;"
        " CREATE RULE r AS ON UPDATE TO public.v DO INSTEAD UPDATE {0} SET id = NULL",
        "right UPDATE through public.v to anon is new",
    ),
    ("; GRANT EXECUTE ON FUNCTION public.fixes() TO anon", "right EXECUTE of public.fixes() to anon is new"),
    ("; CREATE ROLE beside_other SUPERUSER", "right everything to beside_other is new"),
    (
        "; UPDATE pg_extension SET extversion = '0' WHERE extname = 'pgcrypto'; CREATE OR REPLACE FUNCTION"
        " public.digest(text, text) RETURNS bytea LANGUAGE sql AS 'select null::bytea'; CREATE OR REPLACE FUNCTION"
        " public.guard() RETURNS trigger LANGUAGE plpgsql AS 'begin perform digest(''x'', ''md5''); return new; end'",
        "pgcrypto",
    ),
]
QUIET = [
    "; CREATE FUNCTION public.mine(point, point) RETURNS bool LANGUAGE sql AS 'select true'",
    "; CREATE TYPE public.k AS (a int);"
    " CREATE FUNCTION public.e(public.k, public.k) RETURNS bool LANGUAGE sql AS 'select true';"
    " CREATE OPERATOR public.=== (LEFTARG = public.k, RIGHTARG = public.k, FUNCTION = public.e)",
    "; CREATE OPERATOR public.==== (LEFTARG = bigint, RIGHTARG = int, FUNCTION = pg_catalog.int84eq)",
    "; ALTER FUNCTION public.digest(text, text) COST 50",
    "; CREATE EXTENSION citext",
    "; DROP EXTENSION pgcrypto",
    "; CREATE SCHEMA a; ALTER EXTENSION pgcrypto SET SCHEMA a",
    PL.format("event_trigger", "", "notify x")
    + "; CREATE EVENT TRIGGER w ON ddl_command_end EXECUTE FUNCTION public.w()",
    DEFINER.format("select 1 from algorithm_audit_trail limit 1"),
    DEFINER.format("update other set n = 1"),
    PL.format("int", "", WRITES),
    PL.format("int", "SECURITY DEFINER", "insert into algorithm_audit_trail default values"),
    DEFINER.format("update algorithm_audit_trails set x = 1"),
    "; GRANT SELECT ON public.seen TO anon",
    "; CREATE VIEW public.v AS SELECT experiment_id, count(*) FROM {0} GROUP BY 1; GRANT ALL ON public.v TO anon",
    "; CREATE VIEW public.v AS SELECT max(sequence_number) FROM {0}; GRANT ALL ON public.v TO anon",
    "; CREATE VIEW public.v AS SELECT DISTINCT id FROM {0}; GRANT ALL ON public.v TO anon",
    "; CREATE VIEW public.v AS SELECT a.id FROM {0} a JOIN public.other o ON true; GRANT ALL ON public.v TO anon",
    "; CREATE VIEW public.v WITH (security_invoker = true) AS SELECT * FROM {0}; GRANT ALL ON public.v TO anon",
    "; CREATE VIEW public.v AS SELECT * FROM public.other; GRANT ALL ON public.v TO anon",
    "; CREATE MATERIALIZED VIEW public.v AS SELECT * FROM {0}; GRANT ALL ON public.v TO anon",
    "; CREATE SCHEMA a AUTHORIZATION anon",
    "; CREATE RULE r AS ON UPDATE TO public.other DO ALSO INSERT INTO {0} DEFAULT VALUES",
    "; CREATE RULE r AS ON INSERT TO public.other DO ALSO UPDATE public.root SET conversion_value = 1",
    "ADD CONSTRAINT c FOREIGN KEY (experiment_id) REFERENCES public.experiments NOT VALID",
    "; ALTER TABLE public.other ADD UNIQUE (n)",
    "; CREATE TABLE public.heir () INHERITS (public.other, public.root)",
    "; ALTER ROLE ALL SET statement_timeout = '5s'",
    "; GRANT SET ON PARAMETER log_min_messages TO anon",
    "; CREATE PUBLICATION p FOR TABLE {0} WHERE (sequence_number > 0)",
    PL.format("int", "SECURITY DEFINER", "execute ''refresh materialized view x''; raise notice ''%'', 1"),
    PL.format("int", "SECURITY DEFINER", "perform 1 from algorithm_audit_trail for update of algorithm_audit_trail"),
    PL.format("int", "SECURITY DEFINER", "update other set n = (select count(*) from algorithm_audit_trail)"),
    DEFINER.format("select 1 /* update algorithm_audit_trail */ -- truncate algorithm_audit_trail"),
    DEFINER.format("update a.algorithm_audit_trail set id = id"),
    DEFINER.format("create temp table x as select 1 from other o join algorithm_audit_trail a on a.id = o.n"),
    DEFINER.format("insert into algorithm_audit_trail select * from root on conflict do nothing"),
    PL.format("trigger", "", "update other set n = 1")
    + "; CREATE TRIGGER x AFTER INSERT ON public.other FOR EACH ROW EXECUTE FUNCTION public.w()",
    "; GRANT UPDATE, DELETE ON public.other, public.root TO anon",
    "; GRANT INSERT, TRUNCATE ON public.experiments TO anon",
    "; REVOKE EXECUTE ON FUNCTION public.fixes() FROM PUBLIC",
    "; DROP FUNCTION public.fixes()",
    "; DROP VIEW public.seen",
    "; UPDATE pg_extension SET extversion = '0' WHERE extname = 'pgcrypto'",
    "; UPDATE pg_extension SET extversion = '0' WHERE extname = 'uuid-ossp'; UPDATE pg_proc SET prosrc = 'x'"
    " WHERE proname = 'uuid_generate_v3'",
    "; ALTER VIEW public.seen SET (security_barrier = true)",
]


@pytest.fixture(scope="module")
def beside(watched: Connection) -> Iterator[Connection]:
    with watched.transaction(force_rollback=True):
        watched.execute("SET LOCAL check_function_bodies = off")
        watched.execute(BESIDE.encode())
        yield watched


def changed(connection: Connection, text: str) -> list[str]:
    text = text.replace("{0}", T)
    return changes_by(connection, text.removeprefix("; ") if text.startswith(";") else f"ALTER TABLE {T} {text}")


@pytest.mark.parametrize(("text", "told"), FOUND, ids=[text[:90] for text, _ in FOUND])
def test_what_changes_rows_from_beside_is_found(beside: Connection, text: str, told: str) -> None:
    assert told in "; ".join(changed(beside, text))


@pytest.mark.parametrize("text", QUIET, ids=[text[:90] for text in QUIET])
def test_what_changes_no_rows_is_not_told(beside: Connection, text: str) -> None:
    assert changed(beside, text) == []


@pytest.mark.parametrize("reading", [1, 2])
def test_a_run_of_a_release_before_is_compared_by_what_it_read(beside: Connection, reading: int) -> None:
    now = rows_of(beside)

    before, now = map(list, comparable(as_of(now, reading), now))

    assert guard_changes(before, now, AUDIT)[0] == []
