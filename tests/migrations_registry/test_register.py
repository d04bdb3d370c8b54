"""What a repository or an upload holds is registered by a worker; the page only keeps and asks."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from migrations_registry.analysis.parsing import parser
from migrations_registry.kinds.register import Register, read
from migrations_registry.models import MigrationFile, Upload
from migrations_registry.services import uploads
from migrations_registry.sources import reader
from operations.engine.request import request
from operations.engine.specs import step
from operations.models import Environment, Operation
from providers import git
from providers.errors import ProviderError, Refused
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


def test_a_worker_registers_what_it_reads(repository: str, admin_client: Client) -> None:
    operation = _asked(repository)

    assert (operation.status, operation.error) == ("succeeded", "")
    row = MigrationFile.objects.get()
    assert operation.result == {"registered": 1, "known": 0, "refused": 1, "migration": row.pk}
    assert "schema_b.sql:2: refused" in operation.log
    assert row.source == repository
    page = admin_client.get(reverse("admin:operations_operation_change", args=[operation.pk])).content.decode()
    assert reverse("admin:migrations_registry_migrationfile_change", args=[row.pk]) in page


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


def _uploaded(client: Client, name: str, data: bytes) -> Any:
    """What the request page said to it, which the upload page leads to."""
    Environment.objects.get_or_create(slug="staging", defaults={"name": "Staging", "kind": "staging"})
    client.force_login(
        User.objects.filter(username="olga").first() or holder("olga", "register_migrationfile", "view_operation")
    )
    kept = client.post(reverse("admin:migrations_upload"), {"upload": SimpleUploadedFile(name, data)})
    if kept.status_code != 302:
        return kept
    asked = client.get(kept["Location"])
    assert name in asked.content.decode()
    return client.post(
        kept["Location"], {"environment": "staging", **dict(parse_qsl(urlsplit(kept["Location"]).query))}
    )


@pytest.mark.parametrize(
    ("name", "data", "status", "said"),
    [
        ("schema_a.sql", b"CREATE TABLE a (id integer);", "succeeded", "registered schema_a.sql"),
        ("schema_b.sql", b"SELECT 1;\n\\i x", "failed", "schema_b.sql:2"),
        ("a.zip", b"nonsense", "failed", "no readable zip"),
    ],
)
def test_a_worker_registers_an_upload_and_lets_its_bytes_go(
    client: Client, settings: Any, name: str, data: bytes, status: str, said: str
) -> None:
    settings.OPS_HEARTBEAT_SECONDS = 60
    assert _uploaded(client, name, data).status_code == 302
    assert not MigrationFile.objects.exists()

    operation = finish(Operation.objects.get())

    assert operation.status == status
    assert said in operation.log + operation.error
    assert MigrationFile.objects.count() == (status == "succeeded")
    assert (Upload.objects.get().content is None) == (status == "succeeded")


def test_a_page_reads_no_upload(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (parser, reader):
        monkeypatch.setattr(
            module, "parse" if module is parser else "read_archive", lambda *_: pytest.fail("it read it")
        )

    assert _uploaded(client, "schema_a.sql", b"a " * 500_000).status_code == 302


@pytest.mark.parametrize("name", ["notes.sql", "schema.sql", "migration_a.sql"])
def test_a_file_that_is_called_otherwise_is_refused_at_once(client: Client, name: str) -> None:
    answer = _uploaded(client, name, b"SELECT 1")

    assert "is not called schema_*.sql" in answer.content.decode()
    assert not Upload.objects.exists()


def _kept(name: str = "schema_a.sql", data: bytes = b"SELECT 1") -> Upload:
    return uploads.keep(SimpleUploadedFile(name, data), "olga")


def test_what_nobody_asked_to_read_is_let_go_after_a_day() -> None:
    old, new = _kept(), _kept("schema_b.sql")
    Upload.objects.filter(pk=old.pk).update(uploaded_at=timezone.now() - timedelta(hours=25))

    with pytest.raises(Refused, match="upload it again"):
        uploads.find(str(old.pk))
    assert uploads.let_go_of_old() == 1

    assert list(Upload.objects.filter(content__isnull=False)) == [new]


@pytest.mark.parametrize("column", ["content", "sha256"])
def test_an_upload_that_was_altered_in_the_database_is_not_read(client: Client, column: str) -> None:
    assert _uploaded(client, "schema_a.sql", b"SELECT 1").status_code == 302
    bad = b"DROP TABLE a"
    values = {"content": bad} if column == "content" else {"content": bad, "sha256": sha256(bad).hexdigest()}
    Upload.objects.update(**values)

    operation = finish(Operation.objects.get())

    assert operation.status == "failed"
    assert "was altered" in operation.error


def test_more_than_is_kept_at_a_time_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 100)
    monkeypatch.setattr(uploads, "MOST_UNREAD_BYTES", 150)
    monkeypatch.setattr(SimpleUploadedFile, "read", lambda _: pytest.fail("it read it"))
    with pytest.raises(Refused, match="larger than"):
        _kept(data=b"x" * 101)
    Upload.objects.create(name="a", sha256="", size_bytes=100, content=b"", uploaded_by="olga")

    with pytest.raises(Refused, match="Too many uploads"):
        _kept(data=b"x" * 51)


def test_the_pages_never_read_the_bytes_again(client: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert _uploaded(client, "schema_a.sql", b"SELECT 1").status_code == 302

    reading = [query["sql"] for query in asked if query["sql"].startswith("SELECT") and '"content"' in query["sql"]]
    assert [sql for sql in reading if '"migrations_registry_upload"."content"' in sql.split(" FROM ")[0]] == []


def test_a_worker_that_is_killed_right_after_has_registered(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next attempt finds what the first did, and does not say that nothing was registered."""
    assert _uploaded(client, "schema_a.sql", b"SELECT 1").status_code == 302
    operation = Operation.objects.get()
    killed: list[int] = []

    def die(ctx: Any) -> None:
        read(ctx)
        killed.append(1)
        if len(killed) == 1:
            raise ProviderError("It was killed.", retryable=True)

    monkeypatch.setattr(Register, "steps", [step("read", die, pool="deploy")])

    operation = finish(operation)

    assert (operation.status, len(killed), operation.result["registered"]) == ("succeeded", 2, 1)


@pytest.mark.parametrize(
    "given", [{}, {"repository": URL, "upload": "1"}, {"upload": "1"}, {"upload": "x"}, {"upload": "9" * 40}]
)
def test_neither_both_or_an_unknown_upload_is_refused(given: dict[str, str]) -> None:
    environment = Environment.objects.create(slug="staging", name="Staging", kind="staging")

    with pytest.raises(Refused):
        request(
            "migrations.register",
            by=holder("olga", "register_migrationfile"),
            environment=environment,
            parameters=given,
        )
