"""What is handed to the Supabase CLI: exact bytes, nothing overwritten, and a history that is asked to agree."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from migrations_registry.models import MigrationFile, StreamBaseline
from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import discover
from operations.models import Environment, Operation
from tests.factories import person

pytestmark = pytest.mark.django_db
SCHEMA = ("database/schema/schema_core.sql", "-- ñ ✓\r\nCREATE TABLE users (id uuid PRIMARY KEY);\r\n".encode())
OWN = ("supabase/migrations/20260101000000_init.sql", b"CREATE TABLE public.fresh (id int)")


def register(*files: tuple[str, bytes]) -> None:
    register_files(discover(files)[0], source="tests", by="ana")


def adopt(directory: Path, **options: str) -> str:
    out = io.StringIO()
    call_command("adopt_supabase_cli", str(directory), stdout=out, **options)
    return out.getvalue()


def version() -> str:
    row = MigrationFile.objects.get(path=SCHEMA[0])
    return f"{row.discovered_at:%Y%m%d}{row.pk:06d}"


def test_the_bytes_are_exact_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    register(SCHEMA, OWN)
    assert adopt(tmp_path).count("written") == 2
    place = tmp_path / "supabase/migrations"
    assert {path.name: path.read_bytes() for path in place.iterdir()} == {
        f"{version()}_schema_core.sql": SCHEMA[1],
        "20260101000000_init.sql": OWN[1],
    }
    (place / "20990101000000_theirs.sql").write_text("SELECT 1")
    again = adopt(tmp_path)
    assert (again.count("written"), again.count("there"), again.count("not registered")) == (0, 2, 1)
    # The copies, registered in their turn, are the same migrations under the same versions.
    register((f"supabase/migrations/{version()}_schema_core.sql", SCHEMA[1]))
    assert adopt(tmp_path).count("written") == 0


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("20260101000000_init.sql", "DROP TABLE fresh", "differs from what is registered"),
        ("20260101000000_other_name.sql", "SELECT 1", "has the version of 20260101000000_init.sql"),
    ],
)
def test_what_differs_is_never_overwritten(tmp_path: Path, name: str, text: str, why: str) -> None:
    register(SCHEMA, OWN)
    place = tmp_path / "supabase/migrations"
    place.mkdir(parents=True)
    (place / name).write_text(text)
    with pytest.raises(CommandError, match=why) as error:
        adopt(tmp_path)
    assert error.value.returncode == 2
    assert [path.name for path in place.iterdir()] == [name]
    assert (place / name).read_text() == text


def test_links_and_missing_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No migration is registered"):
        adopt(tmp_path)
    register(OWN)
    with pytest.raises(CommandError, match="is no directory"):
        adopt(tmp_path / "nowhere")
    outside, inside = tmp_path / "outside", tmp_path / "checkout"
    (outside / "migrations").mkdir(parents=True)
    inside.mkdir()
    (inside / "supabase").symlink_to(outside)
    with pytest.raises(CommandError, match="leads out of"):
        adopt(inside)
    assert list((outside / "migrations").iterdir()) == []


def test_the_history_is_told_by_request_only(
    tmp_path: Path, sampelit_copy: dict[str, str], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", sampelit_copy["migration"])
    settings.DEMO = True
    production = Environment.objects.create(slug="production", name="Production", kind="production", protected=True)
    person("ana")
    register(SCHEMA)
    with pytest.raises(SystemExit) as waiting:
        adopt(tmp_path, environment="production", actor="ana")
    asked = Operation.objects.get()
    assert (waiting.value.code, asked.kind, asked.status) == (3, "migrations.baseline", "awaiting_approval")

    # Baselined, but its row was never written: that one version is to be marked, with a vote.
    StreamBaseline.objects.create(environment=production, stream="schema", made_by="ana")
    with pytest.raises(SystemExit):
        adopt(tmp_path, environment="production", actor="ana")
    marked = Operation.objects.exclude(pk=asked.pk).get()
    assert (marked.kind, marked.parameters["versions"], marked.risk) == ("migrations.mark", [version()], "sensitive")
