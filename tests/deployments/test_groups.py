"""Environment groups: what reaches a service through one, who is told before one changes, and the end of previews."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deployments import jobs, previews
from deployments.models import ConfigFingerprint, Service, VariableGroup
from deployments.variables import fingerprints, parity
from ledger.models import Entry
from operations.engine import kinds
from operations.engine.request import request
from operations.models import Environment, Operation, Task
from providers.errors import ProviderError, Refused
from providers.render import EnvGroup, EnvVar
from sandbox.render.api.groups import new_group
from tests.deployments.conftest import finish
from tests.missing import for_a_minute
from tests.render_sandbox import API, Harness

pytestmark = pytest.mark.django_db
Act = Callable[..., Operation]
SECRET = "planted-group-value-0815"


def group_of(sandbox: Harness, name: str) -> dict[str, Any]:
    return next(group for group in sandbox.sandbox.world.groups.values() if group["name"] == name)


@pytest.fixture
def read(sandbox: Harness, api: Service) -> None:
    for service in Service.objects.all():
        fingerprints.refresh(sandbox.render, service)
    fingerprints.refresh_groups(sandbox.render)


def findings(name: str = "sampelit-api-staging") -> dict[str, parity.ParityFinding]:
    known = list(parity.loaded(Service.objects.all()))
    here = next(service for service in known if service.name == name)
    reference = next(service for service in known if service.name == "sampelit-api")
    return {finding.key: finding for finding in parity.compare(here, reference)}


def test_what_a_group_brings_counts_and_says_where_from(read: None) -> None:
    by_key = findings()

    assert (by_key["PYTHON_VERSION"].tone, by_key["PYTHON_VERSION"].origin) == ("ok", "group sampelit-common")
    assert (by_key["SENTRY_DSN"].text, by_key["SENTRY_DSN"].origin) == ("differs", "group sampelit-staging")
    assert by_key["DATABASE_URL"].origin == "itself"
    assert by_key["file shopify-app.json"].text == "missing here, set on production"
    assert not [finding for finding in by_key.values() if finding.tone == "bad"]


def test_only_the_value_that_changed_is_noted_as_changed(db: None) -> None:
    seen = []
    for value in ("old", "new"):
        variables = (EnvVar("A", value), EnvVar("B", "same"))
        group = fingerprints.store_group(EnvGroup("evg-1", "common", variables=variables))
        seen.append(list(group.variables.order_by("key").values("fingerprint", "changed_at")))

    (old, same), (new, still_same) = seen
    assert new["fingerprint"] == fingerprints.fingerprint("new")
    assert new["changed_at"] > old["changed_at"]
    assert still_same == same


def test_a_secret_shared_through_a_group_is_a_violation(sandbox: Harness, read: None) -> None:
    for service in ("sampelit-api", "sampelit-api-staging"):
        del sandbox.sandbox.world.env[sandbox.service(service)]["JWT_SECRET"]
        fingerprints.refresh(sandbox.render, Service.objects.get(name=service))
        for_a_minute(ConfigFingerprint)
        fingerprints.refresh(sandbox.render, Service.objects.get(name=service))
    group_of(sandbox, "sampelit-common")["_env"]["JWT_SECRET"] = SECRET
    fingerprints.refresh_groups(sandbox.render)

    finding = findings()["JWT_SECRET"]

    assert (finding.tone, finding.text, finding.origin) == (
        "bad",
        "the same value as production",
        "group sampelit-common",
    )
    assert ("sampelit-api-staging", "JWT_SECRET") in {(s.name, f.key) for s, f in parity.violations()}


def test_the_service_itself_wins_and_two_groups_that_differ_are_told(sandbox: Harness, read: None) -> None:
    sandbox.render.env_vars.set(sandbox.service("sampelit-api-staging"), "MAIL_FROM", "me@staging.example")
    fingerprints.refresh(sandbox.render, Service.objects.get(name="sampelit-api-staging"))
    group_of(sandbox, "sampelit-staging")["_env"]["PLATFORM_SYNC_MINUTES"] = "1"
    fingerprints.refresh_groups(sandbox.render)

    by_key = findings()

    assert by_key["MAIL_FROM"].origin == "itself, not group sampelit-common"
    assert by_key["PLATFORM_SYNC_MINUTES"].tone == "warn"
    assert "group sampelit-common, group sampelit-staging set it differently" in by_key["PLATFORM_SYNC_MINUTES"].text


def test_variables_are_read_by_themselves(sandbox: Harness, api: Service) -> None:
    jobs.read_variables()

    assert findings()["PYTHON_VERSION"].origin == "group sampelit-common"
    sandbox.sandbox.stop()
    jobs.read_variables()
    assert findings()["PYTHON_VERSION"].origin == "group sampelit-common"


def test_a_group_that_render_no_longer_lists_brings_nothing(sandbox: Harness, read: None) -> None:
    world = sandbox.sandbox.world
    world.groups = {key: group for key, group in world.groups.items() if group["name"] != "sampelit-staging"}

    fingerprints.refresh_groups(sandbox.render)
    once = VariableGroup.objects.filter(name="sampelit-staging", removed_at=None)
    assert once.update(missing_since=timezone.now() - timedelta(minutes=1)) == 1
    fingerprints.refresh_groups(sandbox.render)

    assert findings()["SENTRY_DSN"].text == "missing here, set on production"
    removed_at = VariableGroup.objects.get(name="sampelit-staging").removed_at
    assert removed_at is not None
    fingerprints.refresh_groups(sandbox.render)
    assert VariableGroup.objects.get(name="sampelit-staging").removed_at == removed_at


def test_a_list_without_groups_says_nothing_of_them(
    sandbox: Harness, read: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = list(VariableGroup.objects.values_list("render_id", "removed_at"))
    monkeypatch.setattr(sandbox.render.env_groups, "list", lambda: iter(()))

    fingerprints.refresh_groups(sandbox.render)

    assert list(VariableGroup.objects.values_list("render_id", "removed_at")) == before


def test_one_variable_of_a_group_is_set_and_no_other_touched(
    sandbox: Harness, api: Service, read: None, act: Act
) -> None:
    group = group_of(sandbox, "sampelit-common")
    before = dict(group["_env"])

    operation = act("deployments.set_group_variable", service=None, group="sampelit-common", key="TOKEN", value=SECRET)

    assert (operation.status, operation.error) == ("succeeded", "")
    assert operation.result["services"] == ["sampelit-api", "sampelit-api-staging"]
    assert group["_env"] == before | {"TOKEN": SECRET}
    assert [call for call in sandbox.writes() if "env-groups" in call] == [
        f"PUT /env-groups/{group['id']}/env-vars/TOKEN"
    ]
    assert findings()["TOKEN"].origin == "group sampelit-common"
    assert SECRET not in str(Operation.objects.values().get()) + str(list(Entry.objects.values()))
    gone = act("deployments.delete_group_variable", service=None, group=group["id"], key="TOKEN")
    assert gone.status == "succeeded"
    assert group["_env"] == before


def test_every_service_that_it_touches_is_named_first(read: None, api: Service) -> None:
    group = VariableGroup.objects.get(name="sampelit-common")
    given = {"group": group.render_id, "key": "DATABASE_URL"}

    consequences = kinds.get("deployments.delete_group_variable").consequences(api.environment, given)

    lines = {line.text: line.tone for line in consequences}
    assert lines["sampelit-api (production): sets DATABASE_URL itself, which wins; nothing changes there."] == "ok"
    given["key"] = "MAIL_FROM"
    lines = {
        line.text: line.tone
        for line in kinds.get("deployments.delete_group_variable").consequences(api.environment, given)
    }
    assert lines["sampelit-api (production) loses it."] == "bad"
    assert lines["sampelit-api-staging (staging) loses it."] == "warn"


def test_a_lost_answer_is_read_back_and_never_repeated(sandbox: Harness, read: None, act: Act) -> None:
    sandbox.control("fault", match="PUT /env-groups", kind="lost")

    operation = act("deployments.set_group_variable", service=None, group="sampelit-common", key="A", value="b")

    assert operation.status == "succeeded"
    assert sum(call.startswith("PUT") for call in sandbox.writes()) == 1


def test_a_link_that_appeared_meanwhile_changes_nothing(sandbox: Harness, read: None, act: Act) -> None:
    group = group_of(sandbox, "sampelit-production")
    sandbox.render.env_groups.link(group["id"], sandbox.service("sampelit-web"))

    operation = act("deployments.set_group_variable", service=None, group="sampelit-production", key="A", value="b")

    assert operation.status == "failed"
    assert "no longer linked to the services that were shown. Nothing was changed" in operation.error
    assert "A" not in group["_env"]


def test_a_group_is_linked_and_unlinked_and_what_changes_is_named(sandbox: Harness, read: None, act: Act) -> None:
    group, web = group_of(sandbox, "sampelit-staging"), sandbox.service()
    given = {"group": "sampelit-staging", "service": "sampelit-api"}

    operation = act("deployments.link_group", **given)

    assert (operation.status, operation.error) == ("succeeded", "")
    assert web in group["_services"]
    assert [call for call in sandbox.writes() if "env-groups" in call] == [
        f"POST /env-groups/{group['id']}/services/{web}"
    ]
    production, kind = Environment.objects.get(slug="production"), kinds.get("deployments.unlink_group")
    Service.objects.get(name="sampelit-api").variables.filter(key="SENTRY_DSN").delete()
    VariableGroup.objects.get(name="sampelit-production").variables.filter(key="SENTRY_DSN").delete()
    texts = [line.text for line in kind.consequences(production, operation.parameters)]
    assert texts[0] == "sampelit-api (production) loses SENTRY_DSN with its next deploy."
    with pytest.raises(Refused, match="is linked to sampelit-api already"):
        act("deployments.link_group", **given)
    gone = act("deployments.unlink_group", **given)
    assert (gone.status, web in group["_services"]) == ("succeeded", False)
    with pytest.raises(Refused, match="not linked to sampelit-api, but to sampelit-api-staging"):
        act("deployments.unlink_group", **given)


def test_a_group_that_holds_more_than_was_shown_is_not_linked(sandbox: Harness, read: None, act: Act) -> None:
    group = group_of(sandbox, "sampelit-production")
    group["_env"]["JWT_SECRET"] = SECRET  # in Render's dashboard, after the last look

    operation = act("deployments.link_group", group="sampelit-production", service="sampelit-web")

    assert (operation.status, sandbox.service("sampelit-web") in group["_services"]) == ("failed", False)
    assert "sampelit-production holds JWT_SECRET now, which was not shown. Nothing was changed" in operation.error
    assert SECRET not in operation.error + operation.log


def test_a_lost_answer_to_a_link_is_read_back(sandbox: Harness, read: None, act: Act) -> None:
    sandbox.control("fault", match="POST /env-groups", kind="lost")

    operation = act("deployments.link_group", group="sampelit-staging", service="sampelit-api")

    assert operation.status == "succeeded"
    assert sum("env-groups" in call for call in sandbox.writes()) == 1


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("where", "group", "service", "reason"),
    [
        ("staging", "sampelit-production", "sampelit-api-staging", "reaches production, whose rules are the strictest"),
        ("staging", "sampelit-staging", "sampelit-api", "reaches production, whose rules are the strictest"),
        ("production", "nobody", "sampelit-api", "no variable group"),
        ("production", "sampelit-staging", "nobody", "There is no service 'nobody'"),
        ("production", "sampelit-production", "sampelit-web", "visitors could read it"),
    ],
)
def test_a_bad_link_is_refused(read: None, operator: User, where: str, group: str, service: str, reason: str) -> None:
    VariableGroup.objects.get(name="sampelit-production").variables.create(kind="variable", key="JWT_SECRET")

    with pytest.raises(Refused, match=reason):
        ask_for_group(operator, where, "link_group", group=group, service=service)


def test_more_groups_than_one_answer_holds_are_all_read(sandbox: Harness) -> None:
    world = sandbox.sandbox.world
    for number in range(250):
        made = new_group(world, f"evg-{number}", f"group-{number}", "tea-1")
        made["createdAt"] = world.stamp(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number // 3))

    ids = [group.id for group in sandbox.render.env_groups.list()]

    assert sorted(ids) == sorted(world.groups)


def test_a_server_that_does_not_halve_is_not_asked_for_ever(sandbox: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(100):
        made = new_group(sandbox.sandbox.world, f"evg-{number}", f"group-{number}", "tea-1")
        made["createdAt"] = sandbox.sandbox.world.stamp(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number))
    monkeypatch.setattr("sandbox.render.api.groups.between", lambda request, rows, *_: rows[-100:])

    with pytest.raises(ProviderError, match="whatever time is asked for"):
        list(sandbox.render.env_groups.list())


def ask_for_group(by: User, where: str, kind: str = "set_group_variable", **given: str) -> Operation:
    environment = Environment.objects.get(slug=where)
    return request(f"deployments.{kind}", by=by, environment=environment, parameters=given)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("where", "given", "reason"),
    [
        (
            "staging",
            {"group": "sampelit-common", "key": "A", "value": "x"},
            "reaches production, whose rules are the strictest",
        ),
        (
            "staging",
            {"group": "sampelit-production", "key": "A", "value": "x"},
            "reaches production, whose rules are the strictest",
        ),
        ("production", {"group": "nobody", "key": "A", "value": "x"}, "no variable group 'nobody'.*Known: sampelit-"),
        ("production", {"group": "sampelit-common", "key": "1A", "value": "x"}, "letters, digits"),
        ("production", {"group": "sampelit-common", "key": "A"}, "Give either"),
    ],
)
def test_bad_input_is_refused(read: None, operator: User, where: str, given: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        ask_for_group(operator, where, **given)


def test_neither_the_portal_nor_a_static_site_is_reached(sandbox: Harness, read: None, operator: User) -> None:
    given = {"group": "sampelit-production", "key": "SUPABASE_SERVICE_KEY", "value": "x"}
    sandbox.render.env_groups.link(group_of(sandbox, "sampelit-production")["id"], sandbox.service("sampelit-web"))
    fingerprints.refresh_groups(sandbox.render)
    with pytest.raises(Refused, match="must never be on sampelit-web"):
        ask_for_group(operator, "production", **given)

    Service.objects.filter(name="sampelit-web").update(is_self=True)
    with pytest.raises(Refused, match="reaches sampelit-web, which runs this portal"):
        ask_for_group(operator, "production", **(given | {"key": "A"}))


def test_the_parity_page_shows_groups_and_no_value(read: None, client: Client) -> None:
    cache.clear()
    client.force_login(User.objects.create_superuser("root", password="a-long-password"))

    text = client.get(reverse("admin:deployments_parity", args=["staging"])).content.decode()

    assert "Group sampelit-common" in text
    assert "Reaches sampelit-api, sampelit-api-staging." in text
    assert "deployments.set_group_variable" in text
    assert text.count("deployments.unlink_group") == text.count("<h2>Group ")
    assert "sandbox-" not in text
    assert "hello@sampelit.example" not in text


# --- previews ---


@pytest.fixture
def preview(api: Service) -> Service:
    return Service.objects.select_related("environment").get(name="sampelit-web-pr-41")


def day(days: int) -> str:
    return f"{timezone.now() + timedelta(days=days):%Y-%m-%d}"


@pytest.mark.parametrize("then", ["remind", "delete"])
def test_a_preview_ends_once_at_the_day_it_was_given(
    sandbox: Harness, preview: Service, operator: User, transactional_db: None, then: str
) -> None:
    given = {"service": preview.name, "until": day(3), "then": then}
    asked = request("deployments.keep_preview", by=operator, environment=preview.environment, parameters=given)
    assert finish(asked).status == "succeeded"
    assert Service.objects.exclude(preview_expires_at=None).get() == preview
    assert previews.end_previews() == 0
    after = datetime.now(UTC) + timedelta(days=4)

    assert (previews.end_previews(after), previews.end_previews(after)) == (1, 0)

    deletion = Operation.objects.filter(kind="deployments.delete_preview").first()
    if then == "remind":
        assert deletion is None
        assert Task.objects.get(kind="other").title == "The time of the preview sampelit-web-pr-41 is over"
    else:
        assert deletion is not None
        assert finish(deletion).status == "succeeded"
        assert preview.render_id not in sandbox.sandbox.world.services
        assert deletion.requested_by.username == "system"


def test_two_tickers_end_each_preview_once(preview: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    over = {preview.name, API}
    Service.objects.filter(name__in=over).update(
        parent_render_id="srv-parent", preview_expires_at=timezone.now(), preview_ending="remind"
    )
    reminded: list[str] = []

    def remind_while_another_ticks(service: Service) -> None:
        reminded.append(service.name)
        previews.end_previews()

    monkeypatch.setattr(previews, "_remind", remind_while_another_ticks)
    previews.end_previews()

    assert sorted(reminded) == sorted(over)


def test_a_deletion_that_is_refused_becomes_a_task(preview: Service) -> None:
    Service.objects.filter(pk=preview.pk).update(
        is_self=True, preview_expires_at=timezone.now(), preview_ending="delete"
    )

    assert previews.end_previews() == 1
    assert Task.objects.filter(kind="other").exists()
    assert not Operation.objects.filter(kind="deployments.delete_preview").exists()


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"until": "soon", "then": "remind"}, "until is a day"),
        ({"until": "2020-01-01", "then": "remind"}, "today or later"),
        ({"until": "2099-01-01", "then": "remind"}, "at most 365 days"),
        ({"until": "2026-12-31", "then": "explode"}, "remind or delete"),
        ({"until": "2026-12-31", "then": "remind", "service": "sampelit-api"}, "has no service"),
    ],
)
def test_a_wrong_end_is_refused(preview: Service, operator: User, given: dict[str, str], reason: str) -> None:
    parameters = {"service": preview.name} | given

    with pytest.raises(Refused, match=reason):
        request("deployments.keep_preview", by=operator, environment=preview.environment, parameters=parameters)


def test_what_will_happen_is_told_before_the_secret_is_typed(read: None, client: Client, api: Service) -> None:
    client.force_login(User.objects.create_superuser("root", password="a-long-password"))
    group = VariableGroup.objects.get(name="sampelit-common")
    url = reverse("admin:operations_request", args=["deployments.set_group_variable"])

    text = client.get(f"{url}?environment=production&group={group.render_id}&key=MAIL_FROM").content.decode()

    assert "sampelit-common, reaches sampelit-api, sampelit-api-staging" in text
    assert "sampelit-api-staging (staging) gets it." in text
    assert not Operation.objects.exists()


@pytest.mark.parametrize("doubt", ["clash", "missing"])
@pytest.mark.parametrize("key", ["JWT_SECRET", "MAIL_FROM"])
def test_what_production_has_is_compared_only_where_it_is_known(key: str, doubt: str) -> None:
    ours = {("variable", key): parity.Effective("ours", "itself")}
    theirs = {("variable", key): parity.Effective("theirs", "group a, group b", **{doubt: True})}

    found = {each.key: each for each in parity.judge(ours, theirs, "web_service", same=False)}[key]

    assert (found.tone, found.text.startswith("production's value is not known: ")) == ("warn", True)
