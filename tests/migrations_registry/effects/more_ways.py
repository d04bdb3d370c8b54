"""Ways around the guard, as data: what is done, and what must be said of it (its beginning; of a superuser, a part)."""

from __future__ import annotations

WIPE = (
    "CREATE FUNCTION public.wipe() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.keep; RETURN 1; END $$"
)
HERE = "EXECUTE format('{}', current_database())"
GONE = "deleted 1,000 rows of public.keep"
ENDS = "tied {} to something temporary, with which it is dropped when the session ends"
WAYS = {
    "a column of a temporary type": (
        ["CREATE DOMAIN pg_temp.d AS text", "ALTER TABLE public.keep ALTER COLUMN label TYPE pg_temp.d"],
        ENDS.format("table column public.keep.label"),
    ),
    "a column of a temporary type, in a body": (
        ["DO $$ BEGIN CREATE DOMAIN pg_temp.d AS text; ALTER TABLE public.keep ALTER label TYPE pg_temp.d; END $$"],
        ENDS.format("table column public.keep.label"),
    ),
    "a column sorted by something temporary": (
        ['CREATE COLLATION pg_temp.c FROM "C"', "ALTER TABLE public.keep ALTER label TYPE text COLLATE pg_temp.c"],
        ENDS.format("table column public.keep.label"),
    ),
    "a view that calls something temporary": (
        [
            "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE OR REPLACE VIEW public.seen AS SELECT id, pg_temp.f() AS a, b FROM public.target",
        ],
        ENDS.format("view public.seen"),
    ),
    "a policy that calls something temporary": (
        [
            "CREATE FUNCTION pg_temp.f() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
            "ALTER POLICY own ON public.keep USING (pg_temp.f())",
        ],
        ENDS.format("policy public.keep.own"),
    ),
    "a function's body that reads something temporary": (
        [
            "CREATE TEMP TABLE passing (id int)",
            "CREATE OR REPLACE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN RETURN NEW; END' SET search_path = pg_temp",
        ],
        "changed definition and settings of function public.touch",
    ),
    "a trigger off and on again": (
        [
            "ALTER TABLE public.keep DISABLE TRIGGER keep_touch",
            "UPDATE public.keep SET label = 'unseen' WHERE id = 1",
            "ALTER TABLE public.keep ENABLE TRIGGER keep_touch",
        ],
        "changed enabled state of trigger public.keep.keep_touch",
    ),
    "a trigger dropped and made again": (
        [
            "DROP TRIGGER keep_touch ON public.keep",
            "UPDATE public.keep SET label = 'unseen' WHERE id = 1",
            "CREATE TRIGGER keep_touch BEFORE UPDATE ON public.keep FOR EACH ROW EXECUTE FUNCTION public.touch()",
        ],
        "dropped trigger public.keep.keep_touch",
    ),
    "a trigger's function replaced and put back": (
        [
            "CREATE OR REPLACE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "CREATE OR REPLACE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
        ],
        "changed definition of function public.touch",
    ),
    "a sequence tied to a table": (
        ["ALTER SEQUENCE public.counter OWNED BY public.target.id"],
        "changed ownership of sequence public.counter",
    ),
    "a sequence that counts backwards": (
        ["ALTER SEQUENCE public.counter INCREMENT -1 MAXVALUE 500 START 500"],
        "changed definition of sequence public.counter",
    ),
    "a column that numbers itself": (
        ["ALTER TABLE public.target ALTER id ADD GENERATED ALWAYS AS IDENTITY"],
        "changed identity of table column public.target.id",
    ),
    "a table attached as a partition": (
        [
            "ALTER TABLE public.parts DETACH PARTITION public.parts_2",
            "ALTER TABLE public.parts ATTACH PARTITION public.parts_2 FOR VALUES FROM (10) TO (30)",
        ],
        "changed partition of table public.parts_2",
    ),
    "a table that inherits": (
        ["CREATE TABLE public.above (id int NOT NULL)", "ALTER TABLE public.target INHERIT public.above"],
        "changed inheritance of table public.target",
    ),
    "a table attached under a new one": (
        [
            "CREATE TABLE public.above (LIKE public.target) PARTITION BY RANGE (id)",
            "ALTER TABLE public.above ATTACH PARTITION public.target FOR VALUES FROM (0) TO (9)",
        ],
        "changed partition of table public.target",
    ),
    "a table taken along by the one above it": (
        [
            "CREATE TABLE public.above (LIKE public.target) PARTITION BY RANGE (id)",
            "ALTER TABLE public.above ATTACH PARTITION public.target FOR VALUES FROM (0) TO (9)",
            "DROP TABLE public.above CASCADE",
        ],
        "dropped table public.target",
    ),
    "values stored apart": (
        ["ALTER TABLE public.keep ALTER v SET STORAGE EXTERNAL"],
        "changed storage of table column public.keep.v",
    ),
    "rows that nobody cleans": (
        ["ALTER TABLE public.keep SET (autovacuum_enabled = off)"],
        "changed options of table public.keep",
    ),
    "a comment": (["COMMENT ON COLUMN public.keep.v IS 'x'"], "changed comment of table column public.keep.v"),
    "a publication": (["CREATE PUBLICATION p FOR TABLE public.keep"], "created publication p"),
    "statistics": (["CREATE STATISTICS public.st ON id, v FROM public.keep"], "created statistics object public.st"),
    "a planner's lie": (
        ["ALTER TABLE public.keep ALTER v SET (n_distinct = 1)"],
        "changed options of table column public.keep.v",
    ),
    "nobody may connect": (
        [f"DO $$ BEGIN {HERE.format('ALTER DATABASE %I CONNECTION LIMIT 0')}; END $$"],
        "changed definition of database",
    ),
    "the database's settings": (
        [f"DO $$ BEGIN {HERE.format('ALTER DATABASE %I SET row_security = off')}; END $$"],
        "changed settings of role",
    ),
    "the database's rights": (
        [f"DO $$ BEGIN {HERE.format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC')}; END $$"],
        "changed grants of database",
    ),
    "the role's own password": (["ALTER ROLE CURRENT_USER PASSWORD 'x'"], "changed password of role"),
    "an implicit cast": (
        [
            "CREATE FUNCTION public.c(public.mood) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE CAST (public.mood AS int) WITH FUNCTION public.c(public.mood) AS IMPLICIT",
        ],
        "created cast",
    ),
    "replication that forgets rows": (
        ["ALTER TABLE public.keep REPLICA IDENTITY NOTHING"],
        "changed replica identity of table public.keep",
    ),
    "everything that the role owns": (["DROP OWNED BY CURRENT_USER"], "dropped table public.keep"),
    "a table moved to another schema": (
        ["CREATE SCHEMA aside", "ALTER TABLE public.children SET SCHEMA aside"],
        "changed schema of table public.children (now aside.children)",
    ),
    "a view of stored rows that deletes when it is filled": (
        [WIPE, "CREATE MATERIALIZED VIEW public.m AS SELECT public.wipe() AS n WITH NO DATA"],
        "",
    ),
    "a rule that swallows": (
        ["CREATE RULE r AS ON DELETE TO public.keep DO INSTEAD NOTHING"],
        "created rule public.keep.r",
    ),
    "a cursor that was half read": (
        [WIPE, "DECLARE c CURSOR FOR SELECT public.wipe() FROM generate_series(1, 3)", "FETCH 1 FROM c"],
        GONE,
    ),
    "a deferred exclusion with a function": (
        [
            "CREATE FUNCTION public.calm(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1; END'",
            "CREATE TABLE public.ex (id int, EXCLUDE USING btree ((public.calm(id)) WITH =) DEFERRABLE"
            " INITIALLY DEFERRED)",
            "INSERT INTO public.ex VALUES (1), (2)",
            "CREATE OR REPLACE FUNCTION public.calm(int) RETURNS int LANGUAGE plpgsql VOLATILE AS"
            " $$ BEGIN DELETE FROM public.keep; RETURN $1; END $$",
            "INSERT INTO public.ex VALUES (3)",
        ],
        GONE,
    ),
    "a temporary table that is emptied at COMMIT": (
        [
            WIPE,
            "CREATE FUNCTION public.calm(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM public.wipe(); RETURN $1; END $$",
            "CREATE TEMP TABLE passing (id int) ON COMMIT DELETE ROWS",
            "CREATE INDEX ON passing (public.calm(id))",
            "INSERT INTO passing VALUES (1)",
        ],
        GONE,
    ),
}
BY_A_SUPERUSER = {
    "an event trigger": (
        [
            "CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
            "CREATE EVENT TRIGGER w ON ddl_command_end EXECUTE FUNCTION public.watch()",
        ],
        "created event trigger w",
    ),
    "another server": (
        ["CREATE FOREIGN DATA WRAPPER w", "CREATE SERVER away FOREIGN DATA WRAPPER w"],
        "created server away",
    ),
    "another role's password there": (
        [
            "CREATE FOREIGN DATA WRAPPER w",
            "CREATE SERVER away FOREIGN DATA WRAPPER w",
            "CREATE USER MAPPING FOR CURRENT_USER SERVER away OPTIONS (password 'x')",
        ],
        "pg_user_mapping",
    ),
    "a subscription": (
        ["CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p WITH (connect = false, slot_name = NONE)"],
        "changed content of pg_subscription",
    ),
    "a catalog's row": (
        ["UPDATE pg_catalog.pg_class SET relrowsecurity = false WHERE oid = 'public.keep'::regclass"],
        "changed row security of table public.keep",
    ),
    "a constraint's row": (
        ["UPDATE pg_catalog.pg_constraint SET convalidated = false WHERE conname = 'v_short'"],
        "changed validity of table constraint public.keep",
    ),
    "a role that may all": (["CREATE ROLE effects_mighty SUPERUSER LOGIN"], "created role effects_mighty"),
    "a membership": (["GRANT pg_read_all_data TO effects_owner"], "changed members of role pg_read_all_data"),
    "objects handed over": (
        ["REASSIGN OWNED BY effects_owner TO CURRENT_USER"],
        "changed owner of table public.keep",
    ),
}
