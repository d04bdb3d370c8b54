"""render.yaml against live: every compared field, names of variables, groups, bad files, and no value kept."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from deployments.blueprint import service as blueprint_service
from deployments.blueprint.compare import Difference, compare
from deployments.blueprint.parse import MAX_BYTES, Declared, Part, parse
from deployments.models import BlueprintFile, Deployment, Service
from deployments.variables import fingerprints
from ledger.models import Entry
from operations.models import Environment, Operation
from providers.errors import Refused
from providers.git import source
from tests.people import holder
from tests.render_sandbox import Harness

Act = Callable[..., Operation]
SAME = b"""
services:
- type: web
  name: sampelit-api
  runtime: python
  plan: starter
  region: frankfurt
  branch: main
  repo: https://github.com/asanchezmanas/sampelit.git
  buildCommand: pip install -r requirements.txt
  startCommand: uvicorn main:app --host 0.0.0.0 --port $PORT
  healthCheckPath: /health
  autoDeploy: false
  numInstances: 1
  envVars:
  - fromGroup: sampelit-common
  - fromGroup: sampelit-production
  - {key: DATABASE_URL, sync: false}
  - {key: SUPABASE_SERVICE_KEY, sync: false}
  - {key: JWT_SECRET, generateValue: true}
  - {key: SUPABASE_URL, sync: false}
  - {key: SUPABASE_ANON_KEY, sync: false}
  - {key: IS_DEVELOPMENT, value: "false"}
  - {key: JWT_ALGORITHM, value: HS256}
  - {key: API_RATE_LIMIT, value: 100}
  - {key: ALLOWED_ORIGINS, sync: false}
- {type: web, runtime: static, name: sampelit-web, staticPublishPath: dist, autoDeployTrigger: commit,
   envVars: [{key: PUBLIC_API, sync: false}]}
envVarGroups:
- name: sampelit-common
  envVars: [{key: PYTHON_VERSION, value: 3.11.7}, {key: MAIL_FROM, value: hello@sampelit.example},
            {key: PLATFORM_SYNC_MINUTES, value: "15"}]
"""


def declared(text: bytes) -> Declared:
    return parse(text, lambda value: f"print of {value}")


def lines(differences: list[Difference]) -> set[tuple[str, str, str, str]]:
    return {(line.where, line.what, line.file, line.live) for line in differences}


FIELDS = [
    ("type: web", "type", "web_service"),
    ("type: web\n  env: static", "type", "static_site"),
    ("type: worker", "type", "background_worker"),
    ("plan: pro", "plan", "pro"),
    ("region: ohio", "region", "ohio"),
    ("branch: dev", "branch", "dev"),
    ("buildCommand: make", "buildCommand", "make"),
    ("startCommand: run", "startCommand", "run"),
    ("preDeployCommand: pre", "preDeployCommand", "pre"),
    ("healthCheckPath: /up", "healthCheckPath", "/up"),
    ("numInstances: 3", "numInstances", "3"),
    ("autoDeploy: true", "autoDeploy", "on"),
    ("autoDeploy: false", "autoDeploy", "off"),
    ("autoDeployTrigger: checksPass", "autoDeploy", "after checks"),
    ("autoDeployTrigger: 'off'", "autoDeploy", "off"),
    ("runtime: docker", "runtime", "docker"),
    ("schedule: '* * * * *'", "schedule", "* * * * *"),
    ("staticPublishPath: out", "publishPath", "out"),
    ("maxShutdownDelaySeconds: 60", "maxShutdownDelaySeconds", "60"),
]


@pytest.mark.parametrize(("text", "name", "value"), FIELDS, ids=[text for text, _, _ in FIELDS])
def test_each_field_shows_both_sides(text: str, name: str, value: str) -> None:
    file = declared(f"services:\n- name: a\n  {text}\n".encode())

    assert lines(compare(file, [Part("a", {name: "other"})], {})) == {("a", name, value, "other")}
    assert compare(file, [Part("a", {name: value})], {}) == []


def test_names_values_and_links_of_variables() -> None:
    file = declared(
        b"services: [{name: a, envVars: [{key: V, value: x}, {key: N, sync: false}, {fromGroup: g}]}]\n"
        b"envVarGroups: [{name: g, envVars: [{key: G, value: 1}]}]"
    )
    live = Part("a", {}, {"V": "print of y", "X": "print of z"}, ["h"])

    differences = compare(file, [live], {"g": {"G": "print of 2", "Q": "q"}})

    assert lines(differences) == {
        ("a", "V", "a value", "another value"),
        ("a", "N", "named", "–"),
        ("a", "X", "–", "set"),
        ("a", "group g", "linked", "–"),
        ("a", "group h", "–", "linked"),
        ("group g", "G", "a value", "another value"),
        ("group g", "Q", "–", "set"),
    }
    assert compare(file, [Part("a", {}, None)], {}) == []


def test_services_that_only_one_side_has() -> None:
    differences = compare(declared(b"services: [{name: a}]"), [Part("a"), Part("b")], {})

    assert lines(differences) == {("b", "service", "–", "runs")}


def test_projects_and_environments_of_newer_files_are_read() -> None:
    file = declared(b"projects: [{name: p, environments: [{name: e, services: [{name: a, plan: pro}]}]}]")

    assert file.parts[0].settings == {"plan": "pro"}


BAD = [
    (b"services: [", "no YAML in line 1"),
    (b"- a\n- b", "no list of services"),
    (b"services: 3", "no list of services"),
    (b"just words", "no list of services"),
    (b"", "no list of services"),
    (b"\xff\xff\x00x", "no YAML"),
    (b"a: !!python/object/apply:os.system [id]", "no YAML in line 1"),
    (b"x: 2026-99-99", "no YAML"),
    (b"[" * 5000, "too deeply"),
    (b"- " * 9000 + b"x", "too deeply"),
    (b"#" * (MAX_BYTES + 1), "larger than 128 KiB"),
    (b"a: &a [x]\nb: [" + b"*a, " * 1200 + b"]", "too often by aliases"),
    (b"a: &a {k: v}\n" + b"\n".join(b"x%d: &x%d {<<: [*a, *a, *a, *a, *a]}" % (n, n) for n in range(9)), "by aliases"),
]


@pytest.mark.parametrize(("content", "reason"), BAD, ids=range(len(BAD)))
def test_a_bad_file_is_refused_and_not_repeated(content: bytes, reason: str) -> None:
    with pytest.raises(Refused, match=reason) as refused:
        declared(content)
    assert "os.system" not in refused.value.reason


def test_a_value_is_in_no_message() -> None:
    with pytest.raises(Refused) as refused:
        declared(b"services:\n- name: a\n  envVars:\n  - {key: S, value: 'planted-secret\n")
    assert "planted" not in refused.value.reason


# --- with rows ---


@pytest.fixture
def fingerprinted_production(sandbox: Harness, api: Service) -> Environment:
    for service in Service.objects.all():
        fingerprints.refresh(sandbox.render, service)
    fingerprints.refresh_groups(sandbox.render)
    environment: Environment | None = api.environment
    assert environment is not None
    return environment


@pytest.fixture
def root(db: None, client: Client) -> Client:
    cache.clear()
    client.force_login(User.objects.create_superuser("root", password="a-long-password"))
    return client


@pytest.mark.django_db
def test_what_is_live_equals_its_own_file(fingerprinted_production: Environment) -> None:
    assert blueprint_service.against(fingerprinted_production, parse(SAME, fingerprints.fingerprint)) == []


@pytest.mark.django_db
def test_a_change_by_hand_is_seen_on_the_page(
    root: Client, fingerprinted_production: Environment, sandbox: Harness
) -> None:
    url = reverse("admin:deployments_blueprint", args=["production"])
    given = SAME.replace(b"plan: starter", b"plan: standard").replace(b"value: HS256", b"value: planted-4711")
    page = root.post(url, {"file": SimpleUploadedFile("render.yaml", given)}, follow=True).content.decode()
    environment = root.get(reverse("admin:deployments_environment", args=["production"])).content.decode()

    for text in (page, environment):
        assert "standard" in text
        assert "another value" in text
        assert "2 differ" in text
        assert "planted" not in text
    row = BlueprintFile.objects.get()
    assert (row.valid, row.source, row.read_by) == (True, "given", "root")
    assert "planted" not in json.dumps(row.declared) + str(list(Entry.objects.values()))
    assert Entry.objects.filter(code="deployments.blueprint_read").count() == 1
    Service.objects.filter(name="sampelit-api").update(branch="hotfix")
    blueprint_service.compare_all()
    assert len(BlueprintFile.objects.get().differences) == 3


@pytest.mark.django_db
def test_renders_verdict_and_bad_files_reach_the_person(root: Client, fingerprinted_production: Environment) -> None:
    url = reverse("admin:deployments_blueprint", args=["production"])

    invalid = root.post(url, {"text": "services: [{name: sampelit-api, type: spaceship}]"}, follow=True)
    broken = root.post(url, {"text": "services: ["}, follow=True)
    empty = root.post(url, {"text": " "}, follow=True)
    large = root.post(url, {"file": SimpleUploadedFile("r.yaml", b"#" * (MAX_BYTES + 1))}, follow=True)

    assert "unknown type spaceship" in invalid.content.decode()
    assert "That is no YAML in line 1. Nothing was read." in broken.content.decode()
    assert "Give a file or its text" in empty.content.decode()
    assert "larger than 128 KiB" in large.content.decode()
    assert BlueprintFile.objects.get().valid is False


@pytest.mark.django_db
def test_a_value_that_render_quotes_is_not_kept(root: Client, fingerprinted_production: Environment) -> None:
    file = "services: [{name: sampelit-api, type: planted-4711, envVars: [{key: A, value: planted-4711}]}]"

    root.post(reverse("admin:deployments_blueprint", args=["production"]), {"text": file})

    assert "unknown type [redacted]" in BlueprintFile.objects.get().verdict


@pytest.mark.django_db
def test_a_viewer_sees_and_may_not_give(fingerprinted_production: Environment, client: Client) -> None:
    client.force_login(holder("viewer", "deployments.view_service"))
    url = reverse("admin:deployments_blueprint", args=["production"])

    assert client.get(url).status_code == 200
    assert client.post(url, {"text": SAME.decode()}).status_code == 403


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A Git repository with the file; its address and commit."""
    (tmp_path / "render.yaml").write_bytes(SAME.replace(b"region: frankfurt", b"region: ohio"))
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@t.example"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    monkeypatch.setattr(source, "PROTOCOLS", ("https", "file"))
    return f"file://{tmp_path}", commit


@pytest.mark.django_db
def test_the_file_is_read_at_the_live_commit(
    fingerprinted_production: Environment, api: Service, act: Act, repository: tuple[str, str]
) -> None:
    url, commit = repository
    Service.objects.filter(pk=api.pk).update(repo=url)
    Deployment.objects.filter(service=api, status="live").update(commit_sha=commit)

    operation = act("deployments.read_blueprint", service=None)
    missing = act("deployments.read_blueprint", service=None, path="deploy/render.yaml")

    assert (operation.status, operation.error) == ("succeeded", "")
    assert "sampelit-api region: file ohio, live frankfurt" in operation.log
    row = BlueprintFile.objects.get()
    assert (row.source, row.commit_sha, row.valid) == ("repository", commit, True)
    assert "has no deploy/render.yaml" in missing.error


@pytest.mark.django_db
def test_a_repository_that_cannot_be_read_says_what_to_do(fingerprinted_production: Environment, act: Act) -> None:
    Service.objects.update(repo="git://host.example/a/b")

    assert "Give the file on" in act("deployments.read_blueprint", service=None).error
    with pytest.raises(Refused, match="one inside the repository"):
        act("deployments.read_blueprint", service=None, path="../x")


@pytest.mark.django_db
def test_the_command(fingerprinted_production: Environment, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "render.yaml"

    def run(*arguments: str) -> int:
        try:
            call_command("render_drift", *arguments)
        except SystemExit as ended:
            return int(str(ended.code))
        except CommandError as refused:
            return refused.returncode
        return 0

    assert run("-e", "production") == 3
    file.write_bytes(SAME)
    assert run("-e", "production", str(file)) == 0
    file.write_bytes(SAME.replace(b"plan: starter", b"plan: pro"))
    capsys.readouterr()
    assert run("-e", "production", str(file), "--json") == 1
    assert json.loads(capsys.readouterr().out) == [
        {"where": "sampelit-api", "what": "plan", "file": "pro", "live": "starter", "tone": "bad"}
    ]
    file.write_bytes(b"services: [")
    assert (run("-e", "production", str(file)), run("-e", "nowhere"), run("-e", "production", "/nowhere")) == (3, 3, 3)
