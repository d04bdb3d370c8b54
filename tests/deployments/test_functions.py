"""Edge functions end to end against the stand-in: read, kept, deployed, put back, deleted; secrets; lost answers."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
import stamina
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from deployments.functions import bundle_retention
from deployments.functions.bundle_retention import Use, why
from deployments.functions.bundles import keep_eszip, keep_files
from deployments.functions.sync import sync_all
from deployments.models import EdgeFunction, EdgeSecret, FunctionBundle, FunctionVersion
from ledger.models import Entry
from ledger.registry import sentence_for
from operations.engine import kinds
from operations.engine.request import request
from operations.models import Environment, Notification, Operation
from providers.errors import Refused
from providers.supabase import Supabase
from providers.supabase.functions import Functions
from tests.deployments.conftest import finish
from tests.people import holder
from tests.supabase_sandbox import REF, STAGING, Stand, running

NOW = timezone.now()
GOOD, BAD = {"index.ts": b"Deno.serve()"}, {"index.ts": b"throw new Error('x')"}


@pytest.fixture
def stand(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    with stamina.set_testing(True, attempts=2), running(tmp_path / "supabase", monkeypatch) as stand:
        settings.SUPABASE_ACCESS_TOKEN, settings.SUPABASE_API_BASE = stand.world.token, stand.base
        settings.DEPLOY_WATCH_SECONDS = 0.01
        settings.OPS_SEAL_IDENTITY = str(pyrage.x25519.Identity.generate())
        yield stand


@pytest.fixture
def linked_production(db: None) -> Environment:
    return Environment.objects.create(slug="production", name="Production", kind="production", supabase_ref=REF)


@pytest.fixture
def act(transactional_db: None, stand: Stand, linked_production: Environment) -> Callable[..., Operation]:
    """Request an operation and run it here to its end."""
    Environment.objects.update(votes_sensitive=0, votes_destructive=0)
    codes = ["deploy", "rollback", "configure", "view_edgefunction"]
    by = holder("operator", *[f"deployments.{code}" for code in codes], "operations.view_operation")

    def act(verb: str, **parameters: str) -> Operation:
        return finish(
            request(
                f"deployments.function_{verb}",
                by=by,
                environment=linked_production,
                parameters=parameters,
                reason="test",
            )
        )

    return act


def runs(stand: Stand, slug: str = "hello") -> dict[str, Any]:
    return stand.world.projects[REF]["functions"][slug]


def test_a_function_is_deployed_kept_broken_and_put_back(act: Callable[..., Operation], stand: Stand) -> None:
    good, bad = keep_files("hello", GOOD, "operator"), keep_files("hello", BAD, "operator")

    first = act("deploy", function="hello", bundle=good.sha256[:8])
    live = runs(stand)["ezbr_sha256"]
    act("deploy", function="hello", bundle=bad.sha256, verify_jwt="no")
    broken = runs(stand)["ezbr_sha256"]
    back = act("rollback", function="hello", version="1")

    row = EdgeFunction.objects.get(slug="hello")
    assert (first.status, first.result["version"], back.status) == ("succeeded", 1, "succeeded"), back.error
    assert runs(stand)["ezbr_sha256"] == live != broken
    assert (row.version, row.health, row.verify_jwt, row.entrypoint) == (3, "deployed", True, "index.ts")
    assert [version.kept is not None for version in row.versions.all()] == [True, True, True]
    risks = [
        kinds.get("deployments.function_rollback").assess(row.environment, {"function": "hello", "version": version})
        for version in ("1", "2")
    ]
    assert risks == ["routine", "sensitive"]
    assert row.versions.get(version=1).source == good
    assert Entry.objects.filter(code="deployments.function_live").count() == 3


@pytest.mark.parametrize(
    ("told", "health"),
    [
        ({"status": "ACTIVE"}, "deployed"),
        ({"status": "ACTIVE", "requests": 0, "server_errors": 0}, "deployed"),
        ({"status": "ACTIVE", "requests": 9}, "deployed"),
        ({"status": "ACTIVE", "requests": 40, "server_errors": 1}, "healthy"),
        ({"status": "ACTIVE", "requests": 40, "server_errors": 2}, "unhealthy"),
        ({"status": "THROTTLED", "requests": 40, "server_errors": 0}, "unhealthy"),
        ({"status": "ACTIVE", "requests": 40, "server_errors": 0, "missing_since": NOW}, "unverified"),
        ({"status": "DRAINING", "requests": 40, "server_errors": 0}, "unverified"),
        ({"status": ""}, "unverified"),
        ({"status": "ACTIVE", "requests": 40, "server_errors": 0, "seen_at": NOW - timedelta(hours=2)}, "unverified"),
        ({"status": "ACTIVE", "removed_at": NOW}, "removed"),
    ],
)
@pytest.mark.django_db
def test_a_function_is_healthy_only_by_what_it_answered(told: dict[str, Any], health: str) -> None:
    assert EdgeFunction(slug="hello", **{"seen_at": timezone.now(), **told}).health == health


def test_a_deleted_function_comes_back_from_what_was_kept(act: Callable[..., Operation], stand: Stand) -> None:
    act("deploy", function="hello", bundle=keep_files("hello", GOOD, "operator").sha256)
    live = runs(stand)["ezbr_sha256"]

    gone = act("delete", function="hello", typed="hello")
    there = dict(stand.world.projects[REF]["functions"])
    back = act("rollback", function="hello", version="1")

    assert (gone.status, there, back.status) == ("succeeded", {}, "succeeded"), back.error
    assert runs(stand)["ezbr_sha256"] == live
    assert EdgeFunction.objects.get(slug="hello").removed_at is None


def test_a_lost_answer_is_looked_up_and_never_sent_twice(act: Callable[..., Operation], stand: Stand) -> None:
    bundle = keep_files("hello", GOOD, "operator")
    stand.fault("POST .*/functions/deploy", 500, after=True)
    refused = "POST .*/functions/deploy"

    done = act("deploy", function="hello", bundle=bundle.sha256)
    done_writes = len(stand.writes())
    stand.control("DELETE", "faults")
    stand.fault(refused, 500)
    lost = act("deploy", function="hello", bundle=bundle.sha256)

    assert (done.status, done_writes, len(stand.writes())) == ("succeeded", 1, 2), done.error
    assert lost.status == "failed"
    assert "shows no new version" in lost.error


def test_a_foreign_deploy_in_between_stops_ours(act: Callable[..., Operation], stand: Stand) -> None:
    stand.fault("POST .*/functions/deploy", 429)
    stand.fault("GET .*/functions/hello$", 404)
    stand.world.projects[REF]["functions"]["hello"] = {
        "id": "f",
        "slug": "hello",
        "name": "hello",
        "status": "ACTIVE",
        "version": 7,
        "files": {},
    }

    done = act("deploy", function="hello", bundle=keep_files("hello", GOOD, "operator").sha256)

    assert "Somebody else deployed hello meanwhile" in done.error
    assert stand.writes() == []


def test_a_secret_is_set_by_name_and_its_value_is_nowhere(act: Callable[..., Operation], stand: Stand) -> None:
    done = act("secret_set", name="MAIL_KEY", value="mail-key-value-4711")

    row = EdgeSecret.objects.get()
    assert (done.status, row.name) == ("succeeded", "MAIL_KEY"), done.error
    assert "MAIL_KEY" in stand.world.projects[REF]["secrets"]
    stored = json.dumps([list(Operation.objects.values()), list(Entry.objects.values())], default=str)
    assert "mail-key-value-4711" not in stored
    assert act("secret_delete", name="MAIL_KEY").status == "succeeded"
    assert not EdgeSecret.objects.exists()


WRONG: list[tuple[str, dict[str, str], str]] = [
    ("deploy", {"function": "../x", "bundle": "aaaaaaaa"}, "no function's name"),
    ("deploy", {"function": "hello", "bundle": "0" * 64}, "No bundle of hello is kept"),
    ("deploy", {"function": "hello", "bundle": "KNOWN", "entrypoint": "nope.ts"}, "no file nope.ts"),
    ("deploy", {"function": "hello", "bundle": "KNOWN", "verify_jwt": "maybe"}, "yes or no"),
    ("rollback", {"function": "nothing", "version": "1"}, "no function 'nothing'"),
    ("rollback", {"function": "hello", "version": "99"}, "not kept here"),
    ("delete", {"function": "hello", "typed": "hullo"}, "Type hello exactly"),
    ("secret_set", {"name": "SUPABASE_URL", "value": "x"}, "platform's own"),
    ("secret_set", {"name": "A-B", "value": "x"}, "letters, digits"),
    ("secret_set", {"name": "A"}, "either the value"),
    ("secret_delete", {"name": "NOPE"}, "no secret NOPE"),
]


@pytest.mark.parametrize(("verb", "parameters", "said"), WRONG)
def test_wrong_input_is_refused_by_name(
    linked_production: Environment, verb: str, parameters: dict[str, str], said: str
) -> None:
    EdgeFunction.objects.create(environment=linked_production, slug="hello", version=3)
    known = keep_files("hello", GOOD, "operator").sha256

    with pytest.raises(Refused, match=said):
        kinds.get(f"deployments.function_{verb}").clean(
            linked_production, {name: known if value == "KNOWN" else value for name, value in parameters.items()}
        )


def test_an_altered_bundle_is_never_deployed(linked_production: Environment) -> None:
    row = keep_files("hello", GOOD, "operator")
    FunctionBundle.objects.filter(pk=row.pk).update(content=b"other")

    with pytest.raises(Refused, match="was altered"):
        kinds.get("deployments.function_deploy").clean(linked_production, {"function": "hello", "bundle": row.sha256})


def test_a_version_deployed_elsewhere_is_seen_and_kept_once(stand: Stand, linked_production: Environment) -> None:
    elsewhere = Supabase(stand.world.token, stand.base).functions
    elsewhere.deploy(REF, "hello", GOOD, entrypoint="index.ts")
    first = sync_all()
    again = sync_all()
    elsewhere.delete(REF, "hello")
    missed = sync_all()
    EdgeFunction.objects.update(missing_since=NOW - timedelta(minutes=1))
    gone = sync_all()

    assert (first.versions, again.versions, missed.removed, gone.removed) == (1, 0, 0, 1)
    assert Entry.objects.filter(code="deployments.function_removed").count() == 1
    assert Notification.objects.filter(subject="The edge function hello is gone from production").count() == 1
    bundle = FunctionVersion.objects.get().bundle
    assert bundle is not None
    assert bundle.intact
    assert EdgeFunction.objects.get().health == "removed"


def test_an_empty_list_says_nothing_of_functions(
    stand: Stand, linked_production: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    Supabase(stand.world.token, stand.base).functions.deploy(REF, "hello", GOOD, entrypoint="index.ts")
    sync_all()
    monkeypatch.setattr(Functions, "list", lambda *_: [])

    for _ in range(2):
        sync_all()
        EdgeFunction.objects.filter(missing_since__isnull=False).update(missing_since=NOW - timedelta(minutes=1))

    assert EdgeFunction.objects.get().removed_at is None
    assert not Entry.objects.filter(code="deployments.function_removed").exists()


def test_one_function_that_cannot_be_read_hides_no_other(stand: Stand, linked_production: Environment) -> None:
    for slug in ("broken", "hello"):
        Supabase(stand.world.token, stand.base).functions.deploy(REF, slug, GOOD, entrypoint="index.ts")
    stand.fault("GET .*/functions/broken/body", 404)

    report = sync_all()

    assert [version.function.slug for version in FunctionVersion.objects.all()] == ["hello"]
    assert ["broken" in line for line in report.failed] == [True]


def test_one_missing_function_that_is_not_answered_hides_no_other(
    stand: Stand, linked_production: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Supabase(stand.world.token, stand.base).functions
    for slug in ("broken", "hello"):
        elsewhere.deploy(REF, slug, GOOD, entrypoint="index.ts")
    sync_all()
    elsewhere.delete(REF, "hello")
    EdgeFunction.objects.update(missing_since=NOW - timedelta(minutes=1))
    monkeypatch.setattr(Functions, "list", lambda *_: [])
    stand.fault("GET .*/functions/broken$", 403)

    report = sync_all()

    assert (report.removed, EdgeFunction.objects.get(removed_at=None).slug) == (1, "broken")
    assert ["broken" in line for line in report.failed] == [True]


def test_bytes_fetched_while_somebody_deploys_are_kept_for_neither_version(
    stand: Stand, linked_production: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Supabase(stand.world.token, stand.base).functions
    elsewhere.deploy(REF, "hello", GOOD, entrypoint="index.ts")
    whole = Functions.bundle

    def meanwhile(self: Functions, ref: str, slug: str) -> bytes:
        if not EdgeFunction.objects.get().versions.exists() and runs(stand)["version"] == 1:
            elsewhere.deploy(REF, "hello", BAD, entrypoint="index.ts")
        return whole(self, ref, slug)

    monkeypatch.setattr(Functions, "bundle", meanwhile)
    first, second = sync_all(), sync_all()

    assert (first.versions, second.versions, first.failed) == (0, 1, [])
    assert FunctionVersion.objects.get().version == 2


@pytest.mark.parametrize(("status", "asked"), [(401, 0), (403, 1)])
def test_a_token_that_may_not_see_one_project_may_see_the_next(
    stand: Stand, linked_production: Environment, status: int, asked: int
) -> None:
    Environment.objects.create(slug="staging", name="Staging", kind="staging", supabase_ref=STAGING)
    Supabase(stand.world.token, stand.base).functions.deploy(STAGING, "hello", GOOD, entrypoint="index.ts")
    stand.fault(f"GET .*/{REF}/functions$", status)

    report = sync_all()

    assert (len(report.failed), report.functions) == (1, asked)


STATES = [
    (401, "Unauthorized"),
    (402, "PlanTooLow"),
    (403, "Unauthorized"),
    (404, "NotFound"),
    (429, "RateLimited"),
    (500, "Unavailable"),
]


@pytest.mark.parametrize(("status", "kind"), STATES)
def test_each_refusal_is_a_state_of_the_environment(
    stand: Stand, linked_production: Environment, status: int, kind: str
) -> None:
    stand.fault("GET .*/functions$", status, times=9)

    report = sync_all(deadline=0.3)

    state = linked_production.project_sync
    assert (len(report.failed), state.error_kind) == (1, kind)
    assert state.error
    stand.control("DELETE", "faults")
    calls = len(stand.world.calls)
    if status == 429:
        assert sync_all().failed == []
        assert len(stand.world.calls) == calls, "it waits as it was told"


def test_a_paused_project_and_an_empty_body_are_told(stand: Stand, linked_production: Environment) -> None:
    stand.fault("GET .*/functions$", 200, empty=True)
    assert sync_all().functions == 0

    stand.control("PATCH", f"projects/{REF}", {"status": "INACTIVE"})
    report = sync_all(deadline=0.3)

    assert "not active (status INACTIVE)" in report.failed[0]


def test_the_upload_page_keeps_a_zip_and_leads_to_the_review(client: Client, linked_production: Environment) -> None:
    client.force_login(holder("uploader", "deployments.deploy"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("hello/index.ts", "Deno.serve()")

    answer = client.post(
        "/admin/deployments/edgefunction/upload/",
        {"environment": "production", "function": "hello", "upload": SimpleUploadedFile("a.zip", buffer.getvalue())},
    )
    broken = client.post(
        "/admin/deployments/edgefunction/upload/",
        {"environment": "production", "function": "hello", "upload": SimpleUploadedFile("a.zip", b"PK no zip")},
    )

    row = FunctionBundle.objects.get()
    assert row.files == [["index.ts", 12]]
    assert f"bundle={row.sha256}" in answer["Location"]
    assert "no readable zip" in broken.content.decode()


def test_the_shell_keeps_a_folder_and_names_the_request(
    settings: Any, linked_production: Environment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DEMO = True
    holder("operator", "deployments.deploy")
    (tmp_path / "index.ts").write_text("Deno.serve()")

    call_command("keep_function", str(tmp_path), function="hello")

    said = capsys.readouterr()
    assert f"--set bundle={FunctionBundle.objects.get().sha256[:12]}" in said.err
    assert said.out.startswith("Kept 1 file, ")
    User.objects.get().user_permissions.clear()
    with pytest.raises(CommandError, match="may not request"):
        call_command("keep_function", str(tmp_path), function="hello")


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("kept", "uses", "asked", "reason"),
    [
        (89, [], False, "kept less than 90 days ago"),
        (91, [], False, None),
        (91, [], True, "an operation that has not ended"),
        (400, [Use(0, None)], False, "the newest version"),
        (400, [Use(4, NOW - 300 * DAY)], False, "among the 5 newest"),
        (400, [Use(9, NOW - 89 * DAY)], False, "ran in the last 90 days"),
        (400, [Use(9, NOW - 91 * DAY), Use(5, NOW - 91 * DAY)], False, None),
    ],
)
def test_why_a_bundle_stays(kept: int, uses: list[Use], asked: bool, reason: str | None) -> None:
    reasons = why(NOW - kept * DAY, uses, asked, NOW)

    assert (reason is None and reasons == ()) or (reason or "?") in ", ".join(reasons)


def test_a_bundle_that_nothing_keeps_loses_its_bytes_and_not_its_row(
    linked_production: Environment, capsys: pytest.CaptureFixture[str], client: Client
) -> None:
    client.force_login(User.objects.create_superuser("root"))
    function = EdgeFunction.objects.create(environment=linked_production, slug="hello", version=7)
    bundles = [keep_eszip("hello", b"%d" % number) for number in range(8)]
    FunctionBundle.objects.update(kept_at=NOW - 400 * DAY)
    for number, bundle in enumerate(bundles[:7]):
        FunctionVersion.objects.create(
            function=function, version=number + 1, bundle=bundle, live_at=NOW - (300 - number) * DAY
        )
    call_command("function_bundles", "--function", "hello")
    printed = capsys.readouterr().out

    gone = bundle_retention.remove_expired()

    assert gone == [bundles[0], bundles[1], bundles[7]]
    assert "8 bundles are kept, 3 of them go" in printed
    row = FunctionBundle.objects.get(pk=bundles[0].pk)
    assert (bytes(row.content), row.size_bytes, row.removed_at is not None) == (b"", 1, True)
    assert function.versions.get(version=1).kept is None
    entry = Entry.objects.filter(code="deployments.bundle_removed").order_by("sequence").first()
    assert entry is not None
    assert f"Let the bundle {bundles[0].sha256[:12]} of hello go" in sentence_for(entry)
    page = client.get(f"/admin/deployments/functionbundle/{bundles[6].pk}/change/").content.decode()
    assert "the newest version of its function" in page
    assert bundle_retention.remove_expired() == []
    again = keep_eszip("hello", b"0")
    assert (again.pk, bytes(again.content), again.removed_at) == (row.pk, b"0", None)
