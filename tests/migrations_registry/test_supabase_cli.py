"""The real Supabase CLI and the portal on one database: each sees what the other applied, and agrees."""

from __future__ import annotations

import io
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command

from migrations_registry.history import readings
from migrations_registry.history import states as history_states
from migrations_registry.history.baseline import write
from migrations_registry.models import MigrationFile
from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import discover
from operations.models import Environment
from providers import postgres
from providers.postgres.migrate.history import HistoryRow
from tests import skips

pytestmark = pytest.mark.django_db
Cli = Callable[..., str]
NAMES = ["20260101000000_init", "20260102000000_ünïcode", "20260103000000_third"]
TEXTS = [
    "create table public.cli_a (id int primary key, t text);\n-- a; comment ✓\n"
    "create function public.cli_f() returns int language plpgsql as $$ begin return 1; end $$;\n"
    "insert into public.cli_a values (1, 'x;y');\n",
    "alter table public.cli_a add column u int;\ncreate index cli_a_u on public.cli_a (u);\n",
    "create index concurrently cli_a_t on public.cli_a (t);\n",
]


@pytest.fixture
def target(sampelit_copy: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", sampelit_copy["migration"])
    return Environment.objects.create(slug="production", name="Production", kind="production")


@pytest.fixture
def cli(sampelit_copy: dict[str, str], tmp_path: Path) -> Cli:
    """Run the CLI as the migration role in a checkout; its answer, or what it complained about."""
    binary, dsn = skips.supabase_cli(), sampelit_copy["migration"] + "?sslmode=disable"
    quiet = {"SUPABASE_TELEMETRY_DISABLED": "1", "DO_NOT_TRACK": "1", "HOME": str(tmp_path)}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [binary, *arguments, "--db-url", dsn, "--workdir", str(tmp_path)],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
            env={"PATH": os.environ["PATH"], **quiet},
        )
        return done.stdout if done.returncode == 0 else f"exit {done.returncode}: {done.stderr}"

    return run


def register(*numbers: int) -> list[MigrationFile]:
    discovered, rejected = discover([(f"supabase/migrations/{NAMES[at]}.sql", TEXTS[at].encode()) for at in numbers])
    assert not rejected
    return register_files(discovered, source="tests", by="ana")


def listed(cli: Cli) -> list[tuple[str, str]]:
    """(local, remote) versions as `migration list` says."""
    listing = json.loads(cli("migration", "list", "--output-format", "json"))
    return [(row["local"], row["remote"]) for row in listing["migrations"]]


def states(target: Environment) -> list[str]:
    row = readings.refresh(target)
    assert not row.problem
    return [state["state"] for state in row.states.values()]


def test_the_cli_sees_what_the_portal_applied(
    target: Environment, cli: Cli, tmp_path: Path, sampelit_copy: dict[str, str]
) -> None:
    files = register(0, 1)
    with psycopg.connect(sampelit_copy["migration"], autocommit=True) as connection:
        connection.execute(TEXTS[0])
    write(target, sampelit_copy["migration"], files[:1], 30)
    call_command("adopt_supabase_cli", str(tmp_path), stdout=io.StringIO())

    first, second = (name.partition("_")[0] for name in NAMES[:2])
    assert listed(cli) == [(first, first), (second, "")]
    # The rest is the CLI's: applied by `db push`, which leaves nothing.
    assert "exit" not in cli("db", "push", "--yes")
    assert states(target) == ["applied", "applied"]


def test_the_portal_sees_what_the_cli_applied_and_repaired(
    target: Environment, cli: Cli, tmp_path: Path, sampelit_copy: dict[str, str]
) -> None:
    files = register(0, 1, 2)
    call_command("adopt_supabase_cli", str(tmp_path), stdout=io.StringIO())
    assert states(target) == ["pending"] * 3
    assert "exit" not in cli("migration", "up", "--yes")
    assert states(target) == ["applied"] * 3
    _same_rows(files, history_states.rows_of(target))
    with postgres.connect(sampelit_copy["export"]) as connection:
        columns = connection.execute(postgres.statements("history_columns"))
        assert {str(row[0]) for row in columns} == {"version", "name", "statements"}

    version = NAMES[1].partition("_")[0]
    assert "exit" not in cli("migration", "repair", "--status", "reverted", version, "--yes")
    after = list(readings.refresh(target).states.values())
    assert [state["state"] for state in after] == ["applied", "pending", "applied"]
    assert (after[1]["late"], after[1]["observed"]) == (True, "applied")
    assert "exit" not in cli("migration", "repair", "--status", "applied", version, "--yes")
    assert states(target) == ["applied"] * 3

    changed = TEXTS[0].replace("'x;y'", "'x;z'")
    register_files(discover([(f"supabase/migrations/{NAMES[0]}.sql", changed.encode())])[0], source="tests", by="ana")
    assert states(target)[0] == "changed"
    # The CLI compares versions only and sees nothing of that.
    assert "exit" not in cli("db", "push", "--dry-run")


def _same_rows(files: list[MigrationFile], theirs: list[HistoryRow]) -> None:
    """Version and name as we would write them; the statements too, up to comments before a statement."""
    ours = [history_states.row_of(file) for file in files]
    assert [(row.version, row.name) for row in ours] == [(row.version, row.name) for row in theirs]
    assert all(history_states.is_same(file, row) for file, row in zip(files, theirs, strict=True))
    assert ours[1].statements == theirs[1].statements
