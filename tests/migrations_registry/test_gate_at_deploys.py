"""A deploy says which migrations of its commit are missing, and is refused by policy; nothing hangs or is guessed."""

from __future__ import annotations

import subprocess
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from deployments.models import Service
from migrations_registry.gate import check as gate_check
from migrations_registry.gate import commits, deploy_guard
from migrations_registry.history import readings
from migrations_registry.history.states import row_of
from migrations_registry.models import HistoryReading, RulePolicy, SourceCommit, StreamBaseline
from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import discover
from operations.engine import kinds
from operations.engine.request import prepare, request
from operations.engine.run import run_operation
from operations.models import Environment
from providers import git, postgres
from providers.errors import ProviderError, Refused
from providers.postgres.migrate.history import ensure_history, write_history
from tests.factories import person

pytestmark = pytest.mark.django_db
FIRST, SECOND = (f"supabase/migrations/2026010{number}000000_change.sql" for number in (1, 2))


@pytest.fixture
def gated_production(sampelit_copy: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", sampelit_copy["migration"])
    return Environment.objects.create(
        slug="production", name="Production", kind="production", protected=True, votes_sensitive=0
    )


@pytest.fixture
def checkout(tmp_path: Path) -> tuple[str, list[str]]:
    """(URL, commits): the first commit holds one migration, the second two."""
    run = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    subprocess.run([*run, "init", "-q", "-b", "main"], check=True)
    (tmp_path / FIRST).parent.mkdir(parents=True)
    for path in (FIRST, SECOND):
        (tmp_path / path).write_text(f"CREATE TABLE t{path[-19]} (id integer);")
        subprocess.run([*run, "add", "."], check=True)
        subprocess.run([*run, "commit", "-q", "-m", path], check=True)
    log = subprocess.run([*run, "log", "--format=%H", "--reverse"], check=True, capture_output=True, text=True)
    return f"file://{tmp_path}", log.stdout.split()


@pytest.fixture
def deploy(
    gated_production: Environment, checkout: tuple[str, list[str]], sampelit_copy: dict[str, str], settings: Any
) -> dict[str, dict[str, str]]:
    """Parameters of a deploy of each commit; both files are registered, the first one is applied."""
    url, shas = checkout
    settings.MIGRATIONS_SOURCE = url
    Service.objects.create(
        render_id="srv-1", name="api", type="web_service", environment=gated_production, repo=url, branch="main"
    )
    place = Path(url.removeprefix("file://"))
    files = register_files(
        discover([(path, (place / path).read_bytes()) for path in (FIRST, SECOND)])[0], source="tests", by="ana"
    )
    with postgres.connect(sampelit_copy["migration"], read_only=False) as target:
        ensure_history(target)
        write_history(target, row_of(files[0]))
    StreamBaseline.objects.create(environment=gated_production, stream="supabase", made_by="ana")
    for revision in (*shas, "main"):
        commits.read(url, revision)
    return {name: {"service": "srv-1", "commit": sha} for name, sha in zip(("first", "second"), shas, strict=True)}


def policy(word: str) -> None:
    RulePolicy.objects.create(version=RulePolicy.objects.count() + 1, gate=word, created_by="ana")


def test_the_confirmation_lists_what_is_missing(
    gated_production: Environment, deploy: dict[str, dict[str, str]]
) -> None:
    tell = kinds.registry.consequences["deployments.deploy"][-1]
    (line,) = tell(gated_production, deploy["first"])
    assert (line.tone, line.text) == ("ok", "Every migration of this commit (1) is applied on production.")
    (line,) = tell(gated_production, deploy["second"])
    assert (line.tone, line.text) == ("bad", f"Not applied on production: {SECOND} is pending")
    (line,) = tell(gated_production, {"service": "srv-1"})  # the branch's newest commit
    assert SECOND in line.text


def test_the_policy_decides_whether_it_is_refused(
    gated_production: Environment, deploy: dict[str, dict[str, str]]
) -> None:
    kind = kinds.get("deployments.deploy")
    prepare(kind, gated_production, deploy["second"])
    policy("refuse")
    prepare(kind, gated_production, deploy["first"])
    with pytest.raises(Refused, match=f"not applied on production: {SECOND} is pending. Nothing was deployed"):
        prepare(kind, gated_production, deploy["second"])
    StreamBaseline.objects.all().delete()
    prepare(kind, gated_production, deploy["second"])  # nobody knows: only strict refuses that
    policy("strict")
    with pytest.raises(Refused, match="its stream is not baselined on production"):
        prepare(kind, gated_production, deploy["second"])
    Environment.objects.update(protected=False)
    gated_production.refresh_from_db()
    prepare(kind, gated_production, deploy["second"])


def test_it_is_asked_again_at_the_claim(gated_production: Environment, deploy: dict[str, dict[str, str]]) -> None:
    operation = request(
        "deployments.deploy", by=person("ana"), environment=gated_production, parameters=deploy["second"], reason="test"
    )
    policy("refuse")
    run_operation(operation.pk, "test", frozenset({"export", "prove", "urgent"}), end_process=lambda: None)
    operation.refresh_from_db()
    assert (operation.status, "Nothing was deployed" in operation.error) == ("expired", True)


def test_an_unreachable_repository_is_said_in_bounded_time(
    gated_production: Environment, deploy: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def hang(*_: Any, seconds: float, **__: Any) -> None:
        asked.append(seconds)
        raise ProviderError(f"git did not answer within {seconds:g} s; nothing was read.", retryable=True)

    monkeypatch.setattr(git, "read_files", hang)
    SourceCommit.objects.all().delete()
    (line,) = deploy_guard.tell(gated_production, deploy["second"])
    assert (line.tone, asked, deploy_guard.READING in line.text) == ("warn", [], True)  # no page waits
    commits.read_wanted()
    (line,) = deploy_guard.tell(gated_production, deploy["second"])
    assert (line.tone, "could not be read: git did not answer within 8 s" in line.text) == ("warn", True)
    commits.read_wanted()
    assert asked == [8.0]  # not asked again within the minute
    policy("refuse")
    deploy_guard.refuse(gated_production, deploy["second"])
    policy("strict")
    with pytest.raises(Refused, match="Nobody knows"):
        deploy_guard.refuse(gated_production, deploy["second"])
    SourceCommit.objects.update(read_at=timezone.now() - 2 * commits.FRESH)
    deploy_guard.tell(gated_production, deploy["second"])
    commits.read_wanted()
    assert len(asked) == 2


def test_without_the_target_its_last_reading_counts_while_it_is_fresh(
    gated_production: Environment, deploy: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    readings.refresh(gated_production)
    monkeypatch.delenv("SAMPELIT_PRODUCTION_MIGRATION_DSN")
    (line,) = deploy_guard.tell(gated_production, deploy["second"])
    assert line.text == f"Not applied on production: {SECOND} is pending"
    HistoryReading.objects.update(read_at=timezone.now() - 2 * gate_check.KEPT)
    (line,) = deploy_guard.tell(gated_production, deploy["second"])
    assert (line.tone, "history of production could not be read" in line.text) == ("warn", True)


def test_a_page_asks_at_once_and_a_worker_reads_before_it_judges(
    gated_production: Environment, deploy: dict[str, dict[str, str]]
) -> None:
    SourceCommit.objects.all().delete()
    policy("refuse")
    kind = kinds.get("deployments.deploy")

    prepare(kind, gated_production, deploy["second"])  # a page does not know yet, and refuse lets pass what is unknown
    policy("strict")
    with pytest.raises(Refused, match="look again in half a minute"):
        prepare(kind, gated_production, deploy["second"])
    with pytest.raises(Refused, match=f"{SECOND} is pending"):
        prepare(kind, gated_production, deploy["second"], waits=True)


def test_only_the_settings_may_name_a_repository_of_this_machine(
    gated_production: Environment, deploy: dict[str, dict[str, str]], settings: Any, checkout: tuple[str, list[str]]
) -> None:
    settings.MIGRATIONS_SOURCE = ""
    url, shas = checkout
    for repository in (url, url.removeprefix("file://")):
        SourceCommit.objects.all().delete()
        assert "Only https://" in commits.read(repository, shas[0]).problem


def test_what_has_no_migrations_is_not_asked(
    gated_production: Environment, deploy: dict[str, dict[str, str]], settings: Any
) -> None:
    policy("strict")
    settings.MIGRATIONS_SOURCE = ""
    for change in ({"type": "static_site"}, {"type": "web_service", "repo": ""}):
        Service.objects.update(**change)
        assert deploy_guard.tell(gated_production, deploy["second"]) == []
        deploy_guard.refuse(gated_production, deploy["second"])


def test_a_directory_may_stand_for_the_repository(
    gated_production: Environment, deploy: dict[str, dict[str, str]], settings: Any, tmp_path: Path
) -> None:
    settings.MIGRATIONS_SOURCE = str(tmp_path / "plain")
    (line,) = deploy_guard.tell(gated_production, deploy["second"])
    assert "is no directory, archive or Git URL" in line.text
    (tmp_path / "plain" / "supabase").mkdir(parents=True)
    (tmp_path / "supabase/migrations").rename(tmp_path / "plain/supabase/migrations")
    SourceCommit.objects.all().delete()
    (line,) = deploy_guard.tell(gated_production, deploy["second"])
    assert SECOND in line.text


def test_the_shells_gate_reads_commits_and_tells_by_its_exit_code(
    gated_production: Environment,
    deploy: dict[str, dict[str, str]],
    checkout: tuple[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, shas = checkout
    for commit, code in ((shas[0], 0), (shas[0][:10], 0), (shas[1], 1), ("main", 1)):
        with nullcontext() if code == 0 else pytest.raises(SystemExit, match="1"):
            call_command("migrations_gate", environment="production", commit=commit, source=url)
    for source, commit in ((url, "f" * 40), (f"{url}/nowhere", shas[0])):
        with pytest.raises(CommandError) as error:
            call_command("migrations_gate", environment="production", commit=commit, source=source)
        assert error.value.returncode == 2
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", "postgresql://ops@127.0.0.1:1/none")
    with pytest.raises(CommandError, match="did not accept the connection") as error:
        call_command("migrations_gate", environment="production", commit=shas[0], source=url)
    assert error.value.returncode == 2


@pytest.mark.django_db
def test_a_commit_keeps_the_time_of_its_first_wish_and_touches_no_other() -> None:
    first, other = (("https://example.com/a.git", letter * 40) for letter in "ab")
    commits.known(*other)
    SourceCommit.objects.update(wanted_at=None)
    commits.known(*first)
    wished = SourceCommit.objects.get(commit="a" * 40).wanted_at

    commits.known(*first)

    assert wished is not None
    times = dict(SourceCommit.objects.values_list("commit", "wanted_at"))
    assert times == {"a" * 40: wished, "b" * 40: None}
