"""The gate and the status go by the target's own history, which the Supabase CLI may have written."""

from __future__ import annotations

import io
import json
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command

from migrations_registry.models import StreamBaseline
from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import discover
from operations.models import Environment

pytestmark = pytest.mark.django_db
ONE = "supabase/migrations/20260101000000_init.sql"
TWO = "supabase/migrations/20260102000000_more.sql"
# As the CLI makes and fills it (feasibility.md 4): columns version, statements, name; statements without semicolons.
CLI = """
CREATE SCHEMA supabase_migrations;
CREATE TABLE supabase_migrations.schema_migrations (
  version text NOT NULL PRIMARY KEY, statements text[], name text, created_by text);
GRANT USAGE ON SCHEMA supabase_migrations TO sampelit_migration;
GRANT SELECT ON supabase_migrations.schema_migrations TO sampelit_migration;
INSERT INTO supabase_migrations.schema_migrations VALUES
  ('20260101000000',
   ARRAY['create table public.a(id int primary key, t text)', 'insert into a values (1,''x;y'')'], 'init'),
  ('20251231000000', NULL, 'elsewhere');
"""


@pytest.fixture
def source(tmp_path: Path, sampelit_copy: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", sampelit_copy["migration"])
    Environment.objects.create(slug="production", name="Production", kind="production")
    with psycopg.connect(sampelit_copy["admin"], autocommit=True) as admin:
        admin.execute(CLI)
    (tmp_path / "supabase/migrations").mkdir(parents=True)
    (tmp_path / ONE).write_text(
        "CREATE TABLE public.a (id int PRIMARY KEY, t text);\nINSERT INTO a VALUES (1, 'x;y');\n"
    )
    return tmp_path


def register(source: Path) -> None:
    files = [(path.relative_to(source).as_posix(), path.read_bytes()) for path in sorted(source.rglob("*.sql"))]
    register_files(discover(files)[0], source="tests", by="ana")


def gate(source: Path) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("migrations_gate", environment="production", source=str(source), stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def test_the_gate_opens_when_the_cli_applied_everything(source: Path) -> None:
    assert gate(source)[0] == 1
    register(source)
    assert gate(source) == (0, "0 migrations are not applied on production.\n")


def test_the_gate_names_what_is_pending_or_changed(source: Path) -> None:
    production = Environment.objects.get()
    StreamBaseline.objects.create(environment=production, stream="supabase", made_by="ana")
    (source / TWO).write_text("CREATE TABLE b (id int);")
    (source / ONE).write_text("CREATE TABLE public.a (id int PRIMARY KEY, t text);")
    register(source)
    assert gate(source) == (
        1,
        f"{ONE} is changed\n{TWO} is pending\n2 migrations are not applied on production.\n",
    )


def test_the_status_tells_what_nobody_registered(source: Path) -> None:
    register(source)
    out = io.StringIO()
    call_command("migrations_status", environment="production", json=True, stdout=out)
    assert [row["state"] for row in json.loads(out.getvalue())] == ["applied", "unknown to us"]


def test_what_cannot_be_read_is_not_passed(source: Path) -> None:
    with pytest.raises(CommandError) as error:
        call_command("migrations_gate", environment="nowhere", source=str(source))
    assert error.value.returncode == 2
