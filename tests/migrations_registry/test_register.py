"""A repository's migrations are registered by a worker; the page only asks for it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from migrations_registry.models import MigrationFile
from operations.engine.request import request
from operations.models import Environment, Operation
from providers import git
from providers.errors import Refused
from providers.git import source
from tests.migrations_registry.applying import finish
from tests.people import holder

pytestmark = pytest.mark.django_db
URL = "https://git.example/o/r@main"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> str:
    """A repository with one migration, one that is refused, and a file that is none."""
    settings.OPS_HEARTBEAT_SECONDS = 60  # its own connection does not see what this test has not committed
    monkeypatch.setattr(source, "PROTOCOLS", ("https", "file"))
    (tmp_path / "schema_a.sql").write_text("CREATE TABLE a (id integer);")
    (tmp_path / "schema_b.sql").write_text("SELECT 1;\n\\i x")
    (tmp_path / "notes.md").write_text("x")
    run = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*run, *words], check=True)
    return f"file://{tmp_path}"


def _asked(repository: str) -> Operation:
    environment = Environment.objects.create(slug="staging", name="Staging", kind="staging")
    by = holder("olga", "register_migrationfile")
    return finish(request("migrations.register", by=by, environment=environment, parameters={"repository": repository}))


def test_a_worker_registers_what_it_reads(repository: str) -> None:
    operation = _asked(repository)

    assert (operation.status, operation.error) == ("succeeded", "")
    assert operation.result == {"registered": 1, "known": 0, "refused": 1}
    assert "schema_b.sql:2: refused" in operation.log
    assert MigrationFile.objects.get().source == repository


def test_a_repository_without_migrations_fails_with_what_they_are_called(repository: str) -> None:
    subprocess.run(["git", "-C", repository.removeprefix("file://"), "rm", "-q", "*.sql"], check=True)
    run = ["git", "-C", repository.removeprefix("file://"), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*run, "commit", "-qm", "none"], check=True)

    operation = _asked(repository)

    assert operation.status == "failed"
    assert "Nothing was registered" in operation.error


@pytest.mark.parametrize("address", ["http://127.0.0.1/r", "git://h/r", "git@h:r", "file:///etc", "/etc", "nonsense"])
def test_what_is_no_https_address_is_refused_where_it_is_asked(address: str) -> None:
    with pytest.raises(Refused, match="Only https"):
        _asked(address)


def test_the_page_leads_on_and_asks_no_host(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git, "read_files", lambda *_, **__: pytest.fail("a page read a repository"))
    Environment.objects.create(slug="staging", name="Staging", kind="staging")
    client.force_login(holder("olga", "register_migrationfile", "view_operation"))

    answer = client.post(reverse("admin:migrations_upload"), {"repository": URL})
    page = client.get(answer["Location"])
    asked = client.post(answer["Location"], {"environment": "staging", "repository": URL})

    assert (answer.status_code, page.status_code, asked.status_code) == (302, 200, 302)
    assert "A worker reads this commit" in page.content.decode()
    assert Operation.objects.get().parameters == {"repository": URL}
