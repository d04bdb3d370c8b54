"""Ways around a guard that reads a transaction's effects before COMMIT, each tried by an ordinary owner."""

from __future__ import annotations

import pytest

from providers.errors import Refused
from providers.postgres.migrate.effects import measure
from tests.migrations_registry.effects.bench import Bench

WIPE = (
    "CREATE FUNCTION public.wipe() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.keep; RETURN 1; END $$"
)
WIPES = (
    "CREATE FUNCTION public.wipes() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN DELETE FROM public.keep; RETURN NULL; END $$"
)
GONE = "deleted 1,000 rows of public.keep"
# The middle column: what is done. The right one: what must be said of it.
WAYS = {
    "a deferred trigger": (
        [
            WIPES,
            "CREATE CONSTRAINT TRIGGER w AFTER INSERT ON public.target DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
            " EXECUTE FUNCTION public.wipes()",
            "INSERT INTO public.target VALUES (2)",
        ],
        GONE,
    ),
    "a trigger that defers itself five times": (
        [
            "CREATE TABLE public.chain (n int)",
            "CREATE FUNCTION public.link() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SET CONSTRAINTS ALL DEFERRED;"
            " IF NEW.n < 5 THEN INSERT INTO public.chain VALUES (NEW.n + 1); ELSE DELETE FROM public.keep; END IF;"
            " RETURN NULL; END $$",
            "CREATE CONSTRAINT TRIGGER l AFTER INSERT ON public.chain DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
            " EXECUTE FUNCTION public.link()",
            "INSERT INTO public.chain VALUES (1)",
        ],
        GONE,
    ),
    "a deferred trigger that opens a held cursor": (
        [
            WIPE,
            "CREATE FUNCTION public.opens() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE"
            " 'DECLARE c CURSOR WITH HOLD FOR SELECT public.wipe()'; RETURN NULL; END $$",
            "CREATE CONSTRAINT TRIGGER w AFTER INSERT ON public.target DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
            " EXECUTE FUNCTION public.opens()",
            "INSERT INTO public.target VALUES (2)",
        ],
        "inserted 1 row into public.target",
    ),
    "a table named like the statistics": (
        [
            "CREATE TEMP TABLE pg_stat_xact_all_tables (relid oid, n_tup_del bigint)",
            "CREATE TEMP TABLE pg_class (LIKE pg_catalog.pg_class)",
            "CREATE TEMP TABLE pg_roles (rolname name)",
            "DELETE FROM public.keep",
        ],
        GONE,
    ),
    "temporary types and functions named like the server's own": (
        [
            "CREATE DOMAIN pg_temp.int8 AS text CHECK (false)",
            "CREATE DOMAIN pg_temp.text AS int CHECK (false)",
            "CREATE DOMAIN pg_temp.xid8 AS int CHECK (false)",
            "CREATE FUNCTION pg_temp.age(xid) RETURNS int LANGUAGE sql AS 'SELECT 9'",
            "DELETE FROM public.keep",
        ],
        GONE,
    ),
    "operators of another schema on the path": (
        [
            "CREATE FUNCTION public.never(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT false'",
            "CREATE OPERATOR public.> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = public.never)",
            "SELECT pg_catalog.set_config('search_path', 'public, pg_catalog', false)",
            "DELETE FROM public.keep",
        ],
        GONE,
    ),
    "statements prepared under the driver's names": (
        [*(f"PREPARE _pg3_{number} AS SELECT 1" for number in range(40)), "DELETE FROM public.keep"],
        GONE,
    ),
    "dropped and made again": (
        [
            "DROP TABLE public.children",
            "CREATE TABLE public.children (id serial PRIMARY KEY, keep_id int"
            " REFERENCES public.keep ON DELETE CASCADE)",
        ],
        "dropped table public.children",
    ),
    "a column dropped and added again": (
        ["ALTER TABLE public.keep DROP COLUMN label", "ALTER TABLE public.keep ADD COLUMN label text DEFAULT 'x'"],
        "dropped table column public.keep.label",
    ),
    "a table renamed away and another put in its place": (
        ["ALTER TABLE public.children RENAME TO gone", "CREATE TABLE public.children (id int, keep_id int)"],
        "changed name of table public.children (now public.gone)",
    ),
    "values replaced by a change of type": (
        ["ALTER TABLE public.keep ALTER COLUMN v TYPE varchar(10) USING 'gone'"],
        "rewrote public.keep",
    ),
    "values replaced without a change of type": (
        ["ALTER TABLE public.keep ALTER COLUMN v TYPE text USING 'gone'"],
        "rewrote public.keep",
    ),
    "a truncation": (["TRUNCATE public.children"], "emptied public.children"),
    "a truncation in a released savepoint": (
        ["SAVEPOINT a", "TRUNCATE public.children", "RELEASE a"],
        "emptied public.children",
    ),
    "rows deleted, then the table truncated and filled": (
        ["DELETE FROM public.children", "TRUNCATE public.children", "INSERT INTO public.children VALUES (1)"],
        "rewrote public.children",
    ),
    "a sequence set back": (["SELECT setval('public.counter', 1)"], "set back the sequence public.counter"),
    "a sequence set ahead": (
        ["SELECT setval('public.counter', 1000000000000000)"],
        "moved the sequence public.counter",
    ),
    "a sequence moved in a savepoint that was rolled back": (
        ["SAVEPOINT a", "SELECT setval('public.counter', 2000)", "ROLLBACK TO a"],
        "moved the sequence public.counter",
    ),
    "a sequence restarted": (["ALTER SEQUENCE public.counter RESTART"], "rewrote public.counter"),
    "a large object": (["SELECT pg_catalog.lo_from_bytea(0, 'x')"], "changed content of large object"),
    "a partition deleted from": (["DELETE FROM public.parts WHERE day = 3"], "deleted 5 rows of public.parts_1"),
    "a partition detached": (
        ["ALTER TABLE public.parts DETACH PARTITION public.parts_1"],
        "changed inheritance of table public.parts_1",
    ),
    "rows that a foreign key takes along": (
        ["DELETE FROM public.keep WHERE id <= 50"],
        "deleted 50 rows of public.children",
    ),
    "a trigger switched off": (
        ["ALTER TABLE public.keep DISABLE TRIGGER keep_touch"],
        "changed enabled state of trigger public.keep.keep_touch",
    ),
    "a trigger's function replaced": (
        ["CREATE OR REPLACE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"],
        "changed definition of function public.touch",
    ),
    "row security switched off": (
        ["ALTER TABLE public.keep DISABLE ROW LEVEL SECURITY"],
        "changed row security of table public.keep",
    ),
    "a policy made wider": (
        ["ALTER POLICY own ON public.keep TO PUBLIC USING (id > 0)"],
        "changed definition of policy public.keep.own",
    ),
    "a grant": (["GRANT SELECT ON public.keep TO PUBLIC"], "changed grants of table public.keep"),
    "a grant on one column": (
        ["GRANT SELECT (v) ON public.keep TO PUBLIC"],
        "changed grants of table column public.keep.v",
    ),
    "default privileges": (["ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC"], "created default acl"),
    "the role's own settings": (["ALTER ROLE CURRENT_USER SET search_path = public"], "changed settings of role"),
    "a function's settings": (
        ["ALTER FUNCTION public.touch() SECURITY DEFINER SET work_mem = '1MB'"],
        "changed rights and settings of function public.touch",
    ),
    "a constraint made weaker under its name": (
        [
            "ALTER TABLE public.keep DROP CONSTRAINT v_short",
            "ALTER TABLE public.keep ADD CONSTRAINT v_short CHECK (length(v) < 1000)",
        ],
        "dropped table constraint public.keep.v_short",
    ),
    "an index dropped": (["DROP INDEX public.keep_v"], "dropped index public.keep_v"),
    "a view rewritten": (
        ["CREATE OR REPLACE VIEW public.seen AS SELECT id, 0 AS a, b FROM public.target"],
        "changed definition of view public.seen",
    ),
    "an enum's value renamed": (
        ["ALTER TYPE public.mood RENAME VALUE 'good' TO 'fine'"],
        "changed values of type public.mood",
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_around_is_seen_before_commit(way: str, bench: Bench) -> None:
    statements, wanted = WAYS[way]
    before = bench.state()
    said = bench.surplus(*statements)
    assert any(phrase.startswith(wanted) for phrase in said), said
    assert bench.state() == before


HELD = {
    "at the top": "DECLARE c CURSOR WITH HOLD FOR SELECT public.wipe()",
    "in a body": "DO $$ BEGIN EXECUTE 'DECLARE c CURSOR WITH HOLD FOR SELECT public.wipe()'; END $$",
}


@pytest.mark.parametrize("where", HELD)
def test_a_held_cursor_never_runs(where: str, spoiled: Bench) -> None:
    """COMMIT would run its query; once it is measured, COMMIT finds no cursor."""
    before = spoiled.state()
    spoiled.commit(WIPE, HELD[where])
    assert spoiled.state() == before


def test_what_never_comes_to_rest_is_refused(bench: Bench) -> None:
    endless = (
        "CREATE FUNCTION public.again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SET CONSTRAINTS ALL DEFERRED;"
        " INSERT INTO public.target VALUES (NEW.id + 1); RETURN NULL; END $$"
    )
    trigger = (
        "CREATE CONSTRAINT TRIGGER a AFTER INSERT ON public.target DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        " EXECUTE FUNCTION public.again()"
    )
    with pytest.raises(Refused, match="again and again, 10 times"):
        bench.effects(endless, trigger, "INSERT INTO public.target VALUES (2)")
    assert bench.other.execute("SELECT count(*) FROM public.target").fetchone() == (1,)


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("track_counts = off", "does not count rows"),
        ("session_replication_role = replica", "switched off in the session"),
        ("allow_system_table_mods = on", "may write system catalogs"),
    ],
)
def test_a_session_that_cannot_be_trusted_is_refused(setting: str, why: str, superuser: Bench) -> None:
    with pytest.raises(Refused, match=why):
        superuser.effects(f"SET {setting}", "DELETE FROM public.keep")


def test_a_lock_of_the_session_that_was_given_up_is_seen(bench: Bench) -> None:
    bench.own.execute("SELECT pg_catalog.pg_advisory_lock(7)")
    said = bench.surplus("SELECT pg_catalog.pg_advisory_unlock_all()")
    assert said == ["dropped advisory lock of the session"]


def test_another_sessions_work_is_not_ours(bench: Bench, superuser: Bench) -> None:
    """Made, changed and removed by somebody else while the transaction was open."""
    superuser.own.execute("CREATE TABLE public.passing (id int)")
    with bench.transaction() as begun:
        bench.own.execute("CREATE TABLE public.mine (id int)")
        superuser.own.execute("DROP TABLE public.passing; CREATE TABLE public.theirs (id int)")
        superuser.own.execute("INSERT INTO public.children (keep_id) VALUES (1); ALTER TABLE public.theirs ADD n int")
        changes = measure(bench.own, bench.other, begun).changes
        superuser.own.execute("DROP TABLE public.theirs; DELETE FROM public.children WHERE id > 50")
    assert [(each.verb, each.name) for each in changes] == [("created", ("public", "mine"))]
