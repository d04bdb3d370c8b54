"""What the copy's owner may and the target's role may not is told by the rehearsal: against two real roles."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors, sql

from backups.models import Policy
from migrations_registry.models import Rehearsal
from migrations_registry.rehearsal.rights import denied
from migrations_registry.services.rehearsal_lines import lines_of
from migrations_registry.services.rehearsals import why_not_approve
from operations.models import Environment
from providers import postgres
from tests import sampling
from tests.migrations_registry.applying import Act, add_supabase
from tests.migrations_registry.truth.recorded import RECORDED

ROLE, LOOKS = "rights_half", "rights_looks"
PREPARED = f"""
CREATE TABLE own (id integer PRIMARY KEY); ALTER TABLE own OWNER TO {ROLE};
CREATE TABLE theirs (id integer PRIMARY KEY, note text);
INSERT INTO theirs VALUES (9, 'x'); CREATE VIEW seen AS SELECT 1 AS one;
CREATE TYPE mood AS ENUM ('a'); CREATE FUNCTION calc() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE SCHEMA closed; CREATE TABLE closed.inner_one (id integer); CREATE SEQUENCE counts;
CREATE INDEX noted ON theirs (note); CREATE POLICY guard ON theirs USING (true);
CREATE FUNCTION opens() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS
    'BEGIN GRANT DELETE ON theirs TO {ROLE}; END';
ALTER FUNCTION opens() OWNER TO sampelit_owner;
CREATE SCHEMA mine AUTHORIZATION {ROLE}; CREATE TABLE mine.guest (id integer);
CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
ALTER TABLE theirs OWNER TO sampelit_owner; ALTER VIEW seen OWNER TO sampelit_owner;
ALTER TYPE mood OWNER TO sampelit_owner; ALTER FUNCTION calc() OWNER TO sampelit_owner;
ALTER SCHEMA closed OWNER TO sampelit_owner; ALTER SEQUENCE counts OWNER TO sampelit_owner;
ALTER TABLE closed.inner_one OWNER TO sampelit_owner; ALTER TABLE mine.guest OWNER TO sampelit_owner;
GRANT USAGE ON SCHEMA closed, mine TO PUBLIC; GRANT INSERT (id), SELECT ON theirs TO {ROLE};
GRANT CREATE, USAGE ON SCHEMA public TO {ROLE};
"""
TEXTS = [
    "ALTER TABLE theirs ADD COLUMN n integer",
    "ALTER TABLE own ADD COLUMN n integer",
    "ALTER TABLE IF EXISTS nowhere ADD COLUMN n integer",
    "CREATE INDEX ON theirs (id)",
    "CREATE INDEX ON own (id)",
    "ALTER TABLE theirs RENAME COLUMN note TO text",
    "ALTER TABLE own SET SCHEMA mine",
    "CREATE POLICY more ON theirs USING (true)",
    "ALTER POLICY guard ON theirs USING (false)",
    "DROP POLICY guard ON theirs",
    "CREATE RULE r AS ON UPDATE TO theirs DO INSTEAD NOTHING",
    "ALTER SEQUENCE counts RESTART",
    "INSERT INTO theirs (id) VALUES (1)",
    "INSERT INTO own VALUES (1)",
    "UPDATE theirs SET note = 'x'",
    "DELETE FROM theirs",
    "DELETE FROM own",
    "TRUNCATE own, theirs",
    "TRUNCATE own",
    "CREATE TRIGGER t BEFORE INSERT ON theirs FOR EACH ROW EXECUTE FUNCTION fires()",
    "CREATE TRIGGER t BEFORE INSERT ON own FOR EACH ROW EXECUTE FUNCTION fires()",
    "DROP TABLE theirs",
    "DROP TABLE mine.guest",
    "DROP TABLE IF EXISTS nowhere",
    "DROP VIEW seen",
    "DROP INDEX noted",
    "DROP SEQUENCE counts",
    "DROP TYPE mood",
    "DROP FUNCTION calc()",
    "DROP SCHEMA closed CASCADE",
    "DROP SCHEMA mine CASCADE",
    "COMMENT ON TABLE theirs IS 'x'",
    "COMMENT ON COLUMN theirs.note IS 'x'",
    "COMMENT ON FUNCTION calc() IS 'x'",
    "ALTER TYPE mood ADD VALUE 'b'",
    "ALTER TABLE own OWNER TO sampelit_owner",
    "CREATE TABLE fresh (id integer REFERENCES theirs)",
    "CREATE TABLE fresh (id integer REFERENCES own)",
    "ALTER TABLE own ADD FOREIGN KEY (id) REFERENCES theirs (id)",
    "CREATE TABLE closed.fresh (id integer)",
    "CREATE TABLE closed.fresh AS SELECT 1 AS one",
    "CREATE VIEW closed.fresh AS SELECT 1 AS one",
    "CREATE TYPE closed.fresh AS ENUM ('a')",
    "CREATE FUNCTION closed.fresh() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE SEQUENCE fresh",
    "CREATE SCHEMA fresh",
    "CREATE SCHEMA fresh AUTHORIZATION sampelit_owner",
    "CREATE TABLE IF NOT EXISTS closed.inner_one (id integer)",
    "CREATE TABLE IF NOT EXISTS own (id integer)",
    "CREATE SEQUENCE IF NOT EXISTS closed.fresh",
    "CREATE SCHEMA IF NOT EXISTS mine",
    "CREATE INDEX IF NOT EXISTS noted ON theirs (note)",
    "ALTER TABLE theirs ADD COLUMN IF NOT EXISTS note text",
    "DROP POLICY IF EXISTS nothing ON theirs",
    "DROP TRIGGER IF EXISTS nothing ON theirs",
    "DROP FUNCTION IF EXISTS calc(text)",
    "ALTER TABLE theirs ENABLE ROW LEVEL SECURITY",
    "CREATE OR REPLACE VIEW fresh AS SELECT 1 AS one",
    "CREATE ROLE rights_more",
    "SET ROLE sampelit_owner",
    "CREATE TEMP TABLE theirs (id integer); DELETE FROM theirs",
    "CREATE TEMP TABLE theirs (id integer); ALTER TABLE theirs ADD COLUMN n integer",
    "SET ROLE sampelit_owner; DROP TABLE theirs",
    "SELECT opens(); DELETE FROM theirs",
    "DO $$ BEGIN PERFORM opens(); END $$; DELETE FROM theirs",
    "INSERT INTO own SELECT 1 FROM opens(); DELETE FROM theirs",
]
BEFORE = (
    "GRANT DELETE ON theirs TO PUBLIC",
    "SELECT opens()",
    "ALTER TABLE theirs OWNER TO rights_half",
    "DO 'BEGIN END'",
)


@pytest.fixture
def half(dsns: dict[str, str]) -> Iterator[str]:
    """The DSN of a role that owns a little and is a member of nothing, on a target where others own the rest."""
    password = str(psycopg.conninfo.conninfo_to_dict(dsns["migration"])["password"])
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        role = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER PASSWORD {}")
        admin.execute(role.format(sql.Identifier(ROLE), sql.Literal(password)))
        try:
            admin.execute(PREPARED.encode())
            connect = sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}")
            admin.execute(connect.format(sql.Identifier(admin.info.dbname), sql.Identifier(ROLE)))
            yield psycopg.conninfo.make_conninfo(dsns["migration"], user=ROLE)
        finally:
            admin.execute(f"DROP OWNED BY {ROLE} CASCADE".encode())
            admin.execute(f"DROP ROLE {ROLE}".encode())


def outcome(dsn: str, text: str) -> str:
    """As the target's server itself says; nothing stays."""
    with psycopg.connect(dsn) as connection:
        try:
            connection.execute(text.encode())
        except errors.InsufficientPrivilege:
            return "denied"
        except psycopg.Error:
            return "failed"
        finally:
            connection.rollback()
    return "done"


@pytest.mark.django_db
@pytest.mark.parametrize("before", [*BEFORE, "CREATE TABLE other (id integer)"])
def test_nothing_is_certain_after_a_file_that_may_give_rights(before: str, half: str) -> None:
    with postgres.connect(half) as connection:
        said = denied(connection, b"DELETE FROM theirs", [before.encode()])

    assert bool(said) == (before not in BEFORE)


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", [ROLE, "migration"])
def test_it_is_denied_what_the_server_denies(purpose: str, half: str, dsns: dict[str, str]) -> None:
    dsn = half if purpose == ROLE else dsns["migration"]
    with postgres.connect(dsn) as connection:
        said = {text: denied(connection, text.encode()) for text in TEXTS}

    truth = {text: outcome(dsn, text) == "denied" for text in TEXTS}

    assert [text for text in TEXTS if bool(said[text]) != truth[text]] == []
    assert (purpose == ROLE) == (sum(truth.values()) > 20)
    assert all(line.startswith("line 1: ") for lines in said.values() for line in lines)


def test_of_no_recorded_text_it_claims_more_than_the_server_denies(proof_dsn: str) -> None:
    """By a role that may look at everything and owns nothing."""
    password = str(psycopg.conninfo.conninfo_to_dict(proof_dsn)["password"])
    with psycopg.connect(proof_dsn, autocommit=True) as admin:
        role = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE pg_read_all_data")
        admin.execute(role.format(sql.Identifier(LOOKS), sql.Literal(password)))
        dsn = psycopg.conninfo.make_conninfo(proof_dsn, user=LOOKS)
        try:
            with postgres.connect(dsn) as connection:
                said = [text for text in sampling.share(RECORDED, 8) if denied(connection, text.encode())]
            wrong = [text for text in said if outcome(dsn, text) == "done"]
        finally:
            admin.execute(f"DROP ROLE {LOOKS}".encode())

    assert len(said) > 20
    assert wrong == []


@pytest.mark.django_db
def test_of_what_a_platform_owns_nothing_is_claimed(half: str, dsns: dict[str, str]) -> None:
    """Supabase lets who owns nothing there make policies on storage.objects."""
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute("CREATE SCHEMA storage; CREATE TABLE storage.objects (id integer)")
    with postgres.connect(half) as connection:
        assert (
            denied(connection, b"CREATE POLICY own ON storage.objects USING (true); DROP TABLE storage.objects") == []
        )


@pytest.mark.django_db(transaction=True)
def test_a_rehearsal_fails_where_the_role_of_the_target_may_not(
    baselined: Environment, half: str, act: Act, backups: None, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute(f"GRANT USAGE ON SCHEMA supabase_migrations TO {ROLE}".encode())
        admin.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA supabase_migrations TO {ROLE}".encode())
    Policy.objects.create(environment=baselined, name="some", tables=["public.theirs"], closure=False)
    assert act("backups.export", policy="some").status == "succeeded"
    file = add_supabase(2, "ALTER TABLE theirs ADD COLUMN n integer")
    act("migrations.rehearse", file=file.sha256)
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", half)

    act("migrations.rehearse", file=file.sha256)

    member, poor = Rehearsal.objects.order_by("ended_at")
    assert (member.status, member.error) == ("passed", "")
    assert (poor.status, why_not_approve(poor, "ana")[:20]) == ("failed", "Its rehearsal failed")
    assert poor.error == (
        f"On the target permission would be denied: line 1: {ROLE} does not own public.theirs, which belongs to "
        "sampelit_owner. Grant that, or apply it as a role that may; then rehearse it again."
    )
    assert [line["line"] for line in poor.report["statements"]] == [1]

    monkeypatch.delenv("SAMPELIT_PRODUCTION_MIGRATION_DSN")
    act("migrations.rehearse", file=file.sha256)

    unasked = Rehearsal.objects.latest("ended_at")
    assert unasked.status == "passed", unasked.error
    said = "Whether the role that applies it may do all that on the target was not asked: "
    assert (f"{said}SAMPELIT_PRODUCTION_MIGRATION_DSN is not set where it rehearses.", "warn") in lines_of(unasked)
