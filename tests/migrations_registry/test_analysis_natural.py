"""Files as people write them for Supabase: jobs, queues, what is made and renamed, rows that leave their parent."""

from __future__ import annotations

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.facts import CatalogFacts, CatalogRoutine, Programs, TableFacts
from migrations_registry.analysis.model import CONVENTION
from migrations_registry.analysis.risk import DESTRUCTIVE, ROUTINE, SENSITIVE

T = ("public", "t")
OWN = "CREATE FUNCTION f() RETURNS {} LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN {} END $$; "
ON_USERS = "CREATE TRIGGER g AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION f()"
SECURED = "ALTER TABLE {} ENABLE ROW LEVEL SECURITY"
FOUND = {
    "SELECT cron.schedule('x', '0 3 * * *', 'DELETE FROM t WHERE a < 5')": "MD-DELETE",
    "SELECT cron.schedule('0 3 * * *', $$TRUNCATE t$$)": "MD-TRUNCATE",
    "SELECT cron.schedule('x', '0 3 * * *', 'SELECT 1; DROP TABLE t')": "MD-DROP-TABLE",
    "SELECT cron.schedule('x', '* * * * *', 'REFRESH MATERIALIZED VIEW m')": "ML-REFRESH-MV",
    "SELECT cron.schedule('x', '* * * * *', 'VACUUM FULL t')": "ML-VACUUM-FULL",
    "SELECT cron.schedule('x', '* * * * *', 'CALL nobodys()')": "MX-UNSEEN-CALL",
    "SELECT cron.schedule('x', '* * * * *', 'SELECT net.http_post(''https://x'')')": "MX-UNSEEN-CALL",
    "SELECT cron.schedule('x', '* * * * *', 'DELETE FORM t')": "MX-UNSEEN-CALL",
    "SELECT cron.schedule('x', '* * * * *', body) FROM texts": "MX-UNSEEN-CALL",
    "SELECT cron.schedule('x')": "MX-UNSEEN-CALL",
    "SELECT cron.schedule(VARIADIC ARRAY['x', '* * * * *', 'SELECT 1'])": "MX-UNSEEN-CALL",
    "SELECT cron.schedule(job_name => 'x', schedule => '* * * * *', command => 'DELETE FROM t')": "MD-DELETE-ALL",
    "SELECT cron.schedule_in_database('x', '* * * * *', 'DELETE FROM t', 'postgres')": "MD-DELETE-ALL",
    "SELECT cron.alter_job(4, '* * * * *', 'DELETE FROM t')": "MD-DELETE-ALL",
    "SELECT cron.alter_job(job_id => 4, command => 'DELETE FROM t')": "MD-DELETE-ALL",
    "SELECT cron.alter_job(4, active := false)": "MC-UNSCHEDULE",
    "SELECT cron.unschedule('x')": "MC-UNSCHEDULE",
    "SELECT cron.unschedule(jobid) FROM cron.job": "MC-UNSCHEDULE",
    "SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname <> 'x'; "
    "SELECT cron.schedule('x', '* * * * *', 'SELECT 1')": "MC-UNSCHEDULE",
    "SELECT cron.unschedule('x'); SELECT cron.schedule('y', '* * * * *', 'SELECT 1')": "MC-UNSCHEDULE",
    "SELECT cron.schedule('x', '* * * * *', 'SELECT 1'); SELECT cron.unschedule('x')": "MC-UNSCHEDULE",
    "DO $$ BEGIN PERFORM cron.schedule('x', '* * * * *', 'DELETE FROM t'); END $$": "MD-DELETE-ALL",
    "CREATE TABLE n (a int); SELECT cron.schedule('x', '* * * * *', 'DELETE FROM n')": "MD-DELETE-ALL",
    OWN.format("void", "DELETE FROM public.t;") + "SELECT cron.schedule('x', '* * * * *', 'SELECT f()')": (
        "MD-DELETE-ALL"
    ),
    "CREATE FUNCTION cron.schedule(text, text, text) RETURNS int LANGUAGE sql AS 'DELETE FROM t; SELECT 1'; "
    "SELECT cron.schedule('x', '* * * * *', 'SELECT 1')": "MD-DELETE-ALL",
    "SELECT pgmq.drop_queue('x')": "MX-UNSEEN-CALL",
    "SELECT pgmq.purge_queue('x')": "MX-UNSEEN-CALL",
    "SELECT other.create('x')": "MX-UNSEEN-CALL",
    "ALTER TABLE child NO INHERIT par": "MC-INHERIT",
    "CREATE TABLE n (a int); ALTER TABLE child NO INHERIT par": "MC-INHERIT",
    ON_USERS: "MS-MANAGED-SCHEMA",
    OWN.format("trigger", "RETURN new;") + ON_USERS.replace("auth.users", "auth.sessions"): "MS-MANAGED-SCHEMA",
    OWN.format("trigger", "RETURN new;") + ON_USERS.replace("f()", "private.f()"): "MS-MANAGED-SCHEMA",
    OWN.format("trigger", "RAISE EXCEPTION 'closed';") + ON_USERS: "MC-TRIGGER-STOPS",
    "CREATE TABLE a (i int); ALTER TABLE a RENAME TO b; " + SECURED.format("a"): "MS-RLS-MISSING",
    "CREATE TABLE a (i int); ALTER TABLE a RENAME TO b; CREATE TABLE a (i int); " + SECURED.format("a"): (
        "MS-RLS-MISSING"
    ),
    "CREATE TABLE a (i int); CREATE TABLE b (i int); ALTER TABLE a RENAME TO c; ALTER TABLE b RENAME TO a; "
    "ALTER TABLE c RENAME TO b; " + SECURED.format("a"): "MS-RLS-MISSING",
    "CREATE TABLE a (i int); ALTER TABLE a RENAME TO b; GRANT SELECT ON b TO anon; CREATE TABLE a (i int); "
    + SECURED.format("a"): "MS-GRANT-WIDE",
    "CREATE TABLE a (i int); ALTER TABLE a SET SCHEMA s; ALTER TABLE s.b SET SCHEMA public; " + SECURED.format("b"): (
        "MS-RLS-MISSING"
    ),
    "CREATE TABLE a (i int); ALTER TABLE a RENAME i TO b; " + SECURED.format("b"): "MS-RLS-MISSING",
    "CREATE DOMAIN d AS int CHECK (value > 0); ALTER TABLE t ADD x d": "ML-DOMAIN-COL",
    "CREATE DOMAIN d AS int; ALTER TABLE t ADD x d; ALTER DOMAIN d ADD CHECK (value > 0)": "ML-DOMAIN-CONSTRAINT",
    "CREATE DOMAIN d AS int; ALTER TABLE t ALTER a TYPE d; ALTER DOMAIN d SET NOT NULL": "ML-DOMAIN-CONSTRAINT",
    "CREATE DOMAIN d AS int; CREATE DOMAIN e AS d; ALTER TABLE t ADD x e; ALTER DOMAIN d SET NOT NULL": (
        "ML-DOMAIN-CONSTRAINT"
    ),
    "BEGIN; CREATE DOMAIN d AS int; ROLLBACK; ALTER DOMAIN d DROP CONSTRAINT c": "MC-DOMAIN-CHANGE",
    "ALTER TABLE t ADD x int; UPDATE t SET x = 1": "ML-UPDATE-FILL",
}
QUIET = [
    "SELECT cron.schedule('x', '0 * * * *', 'REFRESH MATERIALIZED VIEW CONCURRENTLY m')",
    "SELECT cron.schedule('x', '0 * * * *', $$VACUUM ANALYZE t$$)",
    "SELECT cron.schedule('x', '0 * * * *', 'INSERT INTO t SELECT now()')",
    "SELECT cron.unschedule('x'); SELECT cron.schedule('x', '* * * * *', 'SELECT 1')",
    "SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname = 'x'; "
    "SELECT cron.schedule('x', '* * * * *', 'SELECT 1')",
    "SELECT cron.alter_job(4, schedule := '0 * * * *')",
    OWN.format("void", "INSERT INTO public.t VALUES (1);")
    + "REVOKE EXECUTE ON FUNCTION f() FROM public; SELECT cron.schedule('x', '* * * * *', 'SELECT f()')",
    "SELECT pgmq.create('x')",
    "SELECT pgmq.send('x', '{}')",
    "CREATE TABLE c (i int); ALTER TABLE c INHERIT p",
    "CREATE TABLE p (i int); ALTER TABLE c INHERIT p",
    "CREATE ROLE web LOGIN NOINHERIT NOBYPASSRLS",
    "CREATE ROLE web ROLE b PASSWORD NULL",
    "ALTER SEQUENCE s NO CYCLE INCREMENT BY 2",
    "ALTER TABLE t ALTER COLUMN id SET NO MAXVALUE SET CACHE 5",
    "CREATE TABLE n (id int GENERATED ALWAYS AS IDENTITY); ALTER TABLE n ALTER id SET CYCLE",
    "ALTER VIEW v SET (security_barrier, security_invoker)",
    "CREATE TABLE c () INHERITS (p); ALTER TABLE c NO INHERIT p",
    OWN.format("trigger", "INSERT INTO public.profiles VALUES (new.id); RETURN new;") + ON_USERS,
    "CREATE TABLE a (i int); ALTER TABLE a RENAME TO b; " + SECURED.format("b"),
    "CREATE TABLE a (i int); ALTER TABLE a RENAME TO b; ALTER TABLE b RENAME TO c; " + SECURED.format("c"),
    "CREATE TABLE s.a (i int); ALTER TABLE s.a SET SCHEMA public; " + SECURED.format("a"),
    "CREATE TABLE a (i int); " + SECURED.format("a") + "; ALTER TABLE a RENAME TO b; GRANT SELECT ON b TO anon",
    "CREATE TABLE a (i int); " + SECURED.format("a") + "; ALTER TABLE a RENAME TO b; CREATE TABLE a (i int); "
    "ALTER TABLE a ENABLE ROW LEVEL SECURITY; GRANT SELECT ON a TO anon",
    "CREATE DOMAIN s.d AS text CHECK (value <> ''); CREATE TABLE n (a s.d[])",
    "CREATE DOMAIN d AS text NOT NULL; CREATE TABLE n (a d)",
    "CREATE DOMAIN d AS text; ALTER DOMAIN d ADD CONSTRAINT c CHECK (value <> ''); CREATE TABLE n (a d)",
    "CREATE DOMAIN d AS text CONSTRAINT c CHECK (value <> ''); CREATE TABLE n (a d); ALTER DOMAIN d DROP CONSTRAINT c",
]


@pytest.mark.parametrize("text", FOUND)
def test_what_harms_is_found(text: str) -> None:
    found = {each.rule for each in analyse(text.encode()).findings if each.severity != CONVENTION}

    assert FOUND[text] in found


@pytest.mark.parametrize("text", QUIET)
def test_what_harms_nobody_is_left_alone(text: str) -> None:
    found = [each for each in analyse(text.encode()).findings if each.severity != CONVENTION]

    assert found == []


def test_a_table_that_was_moved_away_is_not_the_one_that_is_made_in_its_place() -> None:
    text = "ALTER TABLE t RENAME TO t_old; CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY"

    assert {each.rule for each in analyse(text.encode()).findings} & {"MS-RLS-MISSING"} == set()


@pytest.mark.parametrize("command", ["SELECT 1", "DELETE FROM t"])
def test_a_job_is_judged_alike_where_the_catalogue_holds_pg_cron(command: str) -> None:
    held = {"schedule": (CatalogRoutine("cron", unread="in c, which nobody can read here"),)}
    facts = CatalogFacts({}, programs=Programs(routines=held))
    text = f"SELECT cron.schedule('x', '* * * * *', '{command}')"

    assert analyse(text.encode(), facts=facts).risk == analyse(text.encode()).risk


FILL = "UPDATE t SET x = 1"
FILLS = {
    FILL: ROUTINE,
    f"{FILL} WHERE x IS NULL": ROUTINE,
    "UPDATE t SET x = (SELECT count(*) FROM t)": SENSITIVE,
    "UPDATE t SET x = 1 FROM big": DESTRUCTIVE,
    "UPDATE t SET x = pg_sleep(1)::text::int": SENSITIVE,
}


@pytest.mark.parametrize("fill", FILLS)
def test_who_fills_a_table_known_to_be_small_keeps_nobody_waiting(fill: str) -> None:
    facts = CatalogFacts({T: TableFacts(90, 10 * 2**10)}, programs=Programs())
    text = f"BEGIN; ALTER TABLE t ADD x int; {fill}; COMMIT".encode()

    assert analyse(text, facts=facts).risk == FILLS[fill]
    assert analyse(text).risk != ROUTINE


NOT_SMALL = [
    None,
    CatalogFacts({T: TableFacts(90, 2**30)}, programs=Programs()),
    CatalogFacts({T: TableFacts(0, 0)}, programs=Programs()),  # a partitioned table, or a view
    CatalogFacts({T: TableFacts(90, 10 * 2**10)}),
    CatalogFacts({T: TableFacts(90, 10 * 2**10)}, programs=Programs(relatives={T: (("public", "t_1"),)})),
]


@pytest.mark.parametrize("facts", NOT_SMALL)
@pytest.mark.parametrize("frame", ["{}", "BEGIN; {}; COMMIT"])
def test_a_table_of_which_that_is_not_known_may_be_large(facts: CatalogFacts | None, frame: str) -> None:
    text = frame.format(f"ALTER TABLE t ADD x int; {FILL}").encode()

    assert analyse(text, facts=facts).risk != ROUTINE
