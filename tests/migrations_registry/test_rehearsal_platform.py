"""What a platform keeps in schemas of its own is in no run: in a rehearsal its like stands in, and that is said."""

from __future__ import annotations

import time

import psycopg
import pytest

from backups.archive import drill_database
from backups.models import Policy
from migrations_registry.models import MigrationFile, Rehearsal
from migrations_registry.services.rehearsal_lines import lines_of
from operations.models import Environment
from tests.migrations_registry.applying import Act, add, add_supabase
from tests.migrations_registry.test_five_files import FIVE, ORDERS

pytestmark = pytest.mark.django_db(transaction=True)
PLATFORM = """
CREATE TYPE auth.level AS ENUM ('one', 'two');
CREATE TABLE auth.users (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, email text UNIQUE, level auth.level);
CREATE FUNCTION auth.email() RETURNS text LANGUAGE sql STABLE AS 'SELECT ''somebody''';
CREATE SCHEMA cron;
CREATE FUNCTION cron.schedule(name text, at text) RETURNS bigint STRICT LANGUAGE internal AS 'textlen';
"""
USES = """
CREATE TABLE notes (id integer, owner uuid REFERENCES auth.users, level auth.level);
CREATE POLICY own ON notes USING (owner = auth.uid() OR auth.email() = 'x') ;
INSERT INTO auth.users (email) VALUES ('a@b.example') ON CONFLICT (email) DO NOTHING;
SELECT cron.schedule('nightly', '0 3 * * *');
"""


@pytest.fixture
def proven(baselined: Environment, act: Act, backups: None, dsns: dict[str, str]) -> Environment:
    """A proven run of two tables, of a target whose platform has more than they need."""
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute(PLATFORM)
        admin.execute("GRANT USAGE ON SCHEMA auth, cron TO PUBLIC; GRANT ALL ON auth.users TO PUBLIC")
    Policy.objects.create(environment=baselined, name="some", tables=["public.leads"], closure=False)
    operation = act("backups.export", policy="some")
    assert operation.status == "succeeded", operation.error
    return baselined


def rehearsed(act: Act, file: MigrationFile) -> Rehearsal:
    operation = act("migrations.rehearse", file=file.sha256)
    assert operation.status == "succeeded", operation.error
    return Rehearsal.objects.get(operation=operation.pk)


def test_the_like_of_what_the_target_has_stands_in_and_is_named(proven: Environment, act: Act) -> None:
    seen = rehearsed(act, add_supabase(2, USES))

    assert (seen.status, seen.error) == ("passed", "")
    wanted = {"table auth.users", "type auth.level", "function auth.email()", "function cron.schedule(text,text)"}
    assert wanted <= set(seen.report["stood_in"])
    said = " ".join(text for text, _ in lines_of(seen))
    assert "stood in: " in said
    assert "table auth.users" in said


def test_what_the_target_has_not_does_not_stand_in(proven: Environment, act: Act) -> None:
    seen = rehearsed(act, add_supabase(2, "CREATE TABLE notes (id integer DEFAULT auth.nobody())"))

    assert seen.status == "unable"
    assert "auth.nobody()" in seen.error


def test_the_whole_history_is_rehearsed_within_a_minute(
    baselined: Environment, act: Act, backups: None, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sampelit's five files where there is only the platform, in a server of its own; prints how long it took."""
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO PUBLIC")
        admin.execute("CREATE TABLE place AS SELECT 1 AS id")
    Policy.objects.create(environment=baselined, name="some", tables=["public.place"], closure=False)
    made = act("backups.export", policy="some")
    assert made.status == "succeeded", made.error
    files = add(*((f"database/schema/{name}", (FIVE / name).read_bytes()) for name in ORDERS[0]))
    roles = next(file for file in files if file.stream == "migration")
    monkeypatch.setattr(drill_database, "drill_server", drill_database.chosen_server)

    began = time.monotonic()
    operation = act("migrations.rehearse", file=roles.sha256, streams="all")
    took = time.monotonic() - began

    assert operation.status == "succeeded", operation.error
    seen = Rehearsal.objects.get()
    assert (seen.status, seen.error) == ("passed", "")
    assert sorted([*seen.report["before"], roles.name]) == sorted(ORDERS[0])
    assert seen.report["stood_in"] == ["function auth.role()", "function auth.uid()"]
    print(f"Sampelit's own history: rehearsed in {took:.1f} s")
    assert took < 60


def test_what_a_stream_without_a_baseline_left_behind_does_not_run_again(
    production: Environment, act: Act, backups: None
) -> None:
    Policy.objects.create(environment=production, name="some", tables=["public.users"], closure=False)
    assert act("backups.export", policy="some").status == "succeeded"
    add_supabase(1, "CREATE TABLE users (id uuid PRIMARY KEY, email varchar(255))")
    last = add_supabase(2, "ALTER TABLE users ADD COLUMN note text")

    seen = rehearsed(act, last)

    assert (seen.status, seen.error, seen.report["before"]) == ("passed", "", [])


def test_its_server_logs_what_a_rewrite_writes() -> None:
    """What a rehearsal foretells of WAL is measured there; a drill's server keeps no log of a rewrite."""
    position = "SELECT pg_current_wal_lsn() - '0/0', pg_table_size('s.t')"
    with drill_database.drill_database(server=drill_database.chosen_server, may_create=True) as drill:
        run = drill.connection.execute
        run("CREATE SCHEMA s")
        run("CREATE TABLE s.t AS SELECT n, repeat('x', 100) AS text FROM generate_series(1, 20000) n")
        drill.connection.commit()
        ((before, _),) = run(position).fetchall()
        run("ALTER TABLE s.t ALTER n TYPE bigint")
        drill.connection.commit()
        ((after, size),) = run(position).fetchall()

    assert after - before > size
