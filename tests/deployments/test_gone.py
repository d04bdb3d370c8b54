"""What one answer lacks stays: variables, files, groups' links, secrets, bans, databases; two answers apart take it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from deployments import last_look
from deployments.functions.sync import store_secrets
from deployments.models import ConfigFingerprint, EdgeSecret, GroupLink, GroupVariable, Service, VariableGroup
from deployments.variables import fingerprints, parity
from ledger.models import Entry
from ledger.registry import sentence_for
from operations.models import Environment, Heartbeat, Notification
from operations.periodic import gone
from operations.periodic.gone import APART
from operations.supabase_projects import known_projects, remember_projects
from providers.errors import ProviderError
from providers.supabase import Supabase
from tests.missing import for_a_minute
from tests.render_sandbox import API, Harness
from tests.supabase_sandbox import REF, Stand, running

pytestmark = pytest.mark.django_db
ODD: list[Any] = [[], None, {}, [None], [[]], [{}], "maintenance", {"envVars": []}, [{"envVar": None}]]


def rows() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (ConfigFingerprint, GroupVariable, GroupLink))


@pytest.fixture
def read(sandbox: Harness, api: Service) -> Service:
    fingerprints.refresh(sandbox.render, api)
    fingerprints.refresh_groups(sandbox.render)
    assert min(rows()) > 0
    return api


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_no_answer_of_another_shape_takes_a_variable_or_a_link(
    sandbox: Harness, read: Service, monkeypatch: pytest.MonkeyPatch, odd: Any
) -> None:
    before, real = rows(), sandbox.render.http.get
    lists = ("/env-vars", "/secret-files", "/env-groups")

    def get(path: str, *arguments: Any, **named: Any) -> Any:
        is_one = path.startswith("/env-groups/evg") and path.count("/") == 2
        return odd if path.endswith(lists) or is_one else real(path, *arguments, **named)

    monkeypatch.setattr(sandbox.render.http, "get", get)
    for _ in range(2):
        for again in (lambda: fingerprints.refresh(sandbox.render, read), lambda: groups(sandbox)):
            try:
                again()
            except ProviderError:
                continue
        for_a_minute(ConfigFingerprint, GroupVariable, GroupLink, VariableGroup)

    assert rows() == before
    assert not VariableGroup.objects.exclude(removed_at=None).exists()
    assert not Notification.objects.exists()


def groups(sandbox: Harness) -> None:
    fingerprints.refresh_groups(sandbox.render)


def test_a_variable_is_gone_by_its_second_404_and_people_hear_once(sandbox: Harness, read: Service) -> None:
    del sandbox.sandbox.world.env[read.render_id]["JWT_SECRET"]
    fingerprints.refresh(sandbox.render, read)
    doubt = {line.key: line for line in parity.compare(read, read)}["JWT_SECRET"]
    there = read.variables.filter(key="JWT_SECRET").exists()
    for_a_minute(ConfigFingerprint)
    fingerprints.refresh(sandbox.render, read)
    fingerprints.refresh(sandbox.render, read)

    assert (doubt.tone, there, read.variables.filter(key="JWT_SECRET").exists()) == ("warn", True, False)
    entry = Entry.objects.get(code="deployments.gone")
    assert sentence_for(entry) == f"Render no longer has {API} JWT_SECRET"
    assert Notification.objects.filter(subject=f"Render no longer has {API} JWT_SECRET").count() == 1


def test_what_a_group_no_longer_holds_or_reaches_goes_at_the_second_look(sandbox: Harness, read: Service) -> None:
    group = next(one for one in sandbox.sandbox.world.groups.values() if read.render_id in one["_services"])
    row, key = VariableGroup.objects.get(render_id=group["id"]), next(iter(group["_env"]))
    del group["_env"][key]
    group["_services"].remove(read.render_id)
    seen = []
    for _ in range(2):
        groups(sandbox)
        seen.append((row.variables.filter(key=key).exists(), row.services.filter(pk=read.pk).exists()))
        for_a_minute(GroupVariable, GroupLink)

    assert seen == [(True, True), (False, False)]
    assert Entry.objects.filter(code="deployments.gone").count() == 1


def test_a_variable_that_is_back_is_asked_about_anew(sandbox: Harness, read: Service) -> None:
    value = sandbox.sandbox.world.env[read.render_id].pop("JWT_SECRET")
    fingerprints.refresh(sandbox.render, read)
    sandbox.sandbox.world.env[read.render_id]["JWT_SECRET"] = value
    fingerprints.refresh(sandbox.render, read)

    row = read.variables.get(key="JWT_SECRET")
    assert row.missing_since is None


def test_an_answer_takes_back_a_404_of_another_process_too(read: Service) -> None:
    stale = Service.objects.get(pk=read.pk)
    assert not gone.not_found(read)

    gone.found(stale)

    assert Service.objects.get(pk=read.pk).missing_since is None


@pytest.fixture
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    with running(tmp_path, monkeypatch) as stand:
        yield stand


def test_secrets_go_by_two_lists_of_which_none_is_empty(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Environment.objects.create(slug="production", name="Production", kind="production", supabase_ref=REF)
    api = Supabase(stand.world.token, stand.base)
    api.secrets.set(REF, {"MAIL_KEY": "x", "PAY_KEY": "y"})
    store_secrets(api, place)
    with monkeypatch.context() as patch:
        patch.setattr(api.secrets, "list", lambda ref: [])
        for _ in range(3):
            store_secrets(api, place)
            for_a_minute(EdgeSecret)
    assert EdgeSecret.objects.filter(missing_since=None).count() >= 2
    del stand.world.projects[REF]["secrets"]["MAIL_KEY"]

    there = []
    for _ in range(2):
        store_secrets(api, place)
        there.append(set(EdgeSecret.objects.values_list("name", flat=True)) & {"MAIL_KEY", "PAY_KEY"})
        for_a_minute(EdgeSecret)

    assert there == [{"MAIL_KEY", "PAY_KEY"}, {"PAY_KEY"}]
    told = "Supabase no longer has the secret MAIL_KEY"
    assert Notification.objects.filter(subject=told).count() == 1
    assert sentence_for(Entry.objects.get(code="deployments.gone")) == "Supabase no longer has the secret MAIL_KEY"


SEEN: list[Any] = [["198.51.100.7"], [{"id": "run-1", "at": "now"}], {"srv-1": "Production"}, {"srv-1": ["192.0.2.1"]}]


@pytest.mark.parametrize("before", SEEN, ids=["words", "things", "mapping", "lists"])
@pytest.mark.usefixtures("one_clock")
def test_what_a_look_outside_lacks_is_left_out_at_the_second(before: Any) -> None:
    empty: Any = {"srv-1": []} if before == SEEN[3] else type(before)()
    one = {0: "198.51.100.7", 1: "run-1", 2: "srv-1", 3: "srv-1 192.0.2.1"}[SEEN.index(before)]

    def look(now: Any, **more: Any) -> Any:
        last_look.look("outside", {"part": lambda: {"seen": now}}, last_look.Telling("Render"), **more)
        return Heartbeat.objects.kept("outside")["seen"]

    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert look(before) == look(empty) == before
        clock.shift(APART / 2)
        assert look(empty) == look(before) == before
        clock.shift(APART)
        assert look(empty) == before
        assert not Entry.objects.exists()
        clock.shift(APART)
        assert look(empty) == look(empty) == empty
        assert Entry.objects.count() == Notification.objects.count() == 1
        look(before)
        assert look(empty, taken=["another"]) == before
        assert look(empty, taken=[one]) == empty
        assert Entry.objects.count() == Notification.objects.count() == 1


def test_an_empty_list_of_projects_says_nothing_of_those_that_were_seen(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Supabase(stand.world.token, stand.base)
    remember_projects(api)
    monkeypatch.setattr(api.projects, "list", list)

    assert remember_projects(api) == known_projects() != []
