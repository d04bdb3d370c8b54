"""Enrolment: who is led to it, that nothing else opens before, and what the pages do."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from ledger.models import Entry
from operations.factors import devices
from operations.models import Authenticator, RecoveryCodes
from operations.periodic.clock import database_time
from sampelit_ops.checks import factors_are_for_somebody
from tests.sampelit_ops.signin.codes import code_of

DEFAULT = settings.OPS_FACTOR_FOR
ENROL = "/admin/account/second-factor/"


@pytest.mark.parametrize("role", ["Viewer", "Auditor", "Operator", "Approver", "Admin"])
@pytest.mark.parametrize("path", ["/admin/", "/admin/account/tokens/", "/admin/ledger/entry/"])
def test_everybody_is_led_to_enrolment(
    person: Callable[..., User], client: Client, settings: Settings, role: str, path: str
) -> None:
    settings.OPS_FACTOR_FOR = DEFAULT
    client.force_login(person("olga", role))

    assert client.get(path)["Location"] == ENROL
    assert client.post(path)["Location"] == ENROL


@pytest.mark.parametrize("role", ["Viewer", "Auditor"])
def test_who_only_looks_is_not_where_the_deployment_says_so(
    person: Callable[..., User], client: Client, settings: Settings, role: str
) -> None:
    settings.OPS_FACTOR_FOR = "acting"
    client.force_login(person("vera", role))

    assert client.get("/admin/account/tokens/").status_code == 200


@pytest.mark.parametrize(("word", "faults"), [("everybody", 0), ("acting", 0), ("nobody", 1), ("", 1)])
def test_another_word_is_refused_and_lowers_nothing(
    person: Callable[..., User], client: Client, settings: Settings, word: str, faults: int
) -> None:
    settings.OPS_FACTOR_FOR = word
    client.force_login(person("olga", "Operator"))

    assert len(factors_are_for_somebody(None)) == faults
    assert client.get("/admin/")["Location"] == ENROL


def test_the_demo_leads_nobody(person: Callable[..., User], client: Client, settings: Settings) -> None:
    settings.DEMO = True
    client.force_login(person("olga", "Operator"))

    assert client.get("/admin/account/tokens/").status_code == 200


def test_enrolment_end_to_end(person: Callable[..., User], client: Client) -> None:
    user = person("olga", "Operator")
    client.force_login(user)
    shown = client.get(ENROL).content.decode()
    device = Authenticator.objects.get(user=user)
    assert devices.base32(device) in shown
    assert re.search(r'<svg [^>]*viewBox="0 0 \d+ \d+"', shown)
    assert "style=" not in shown

    wrong = client.post(ENROL, {"code": "000000"})
    assert "Nothing was enrolled" in wrong.content.decode()
    device.refresh_from_db()
    device.throttle_reset()
    done = client.post(ENROL, {"code": code_of(device)}).content.decode()

    codes = re.findall(r"^(?:\s*<pre[^>]*>)?[a-z2-9]{4}(?:-[a-z2-9]{4}){3}$", done, re.MULTILINE)
    assert len(codes) == devices.RECOVERY_CODES
    assert client.get("/admin/account/tokens/").status_code == 200
    assert Entry.objects.filter(code="signin.second_factor_enrolled", actor="olga").exists()


def test_an_unproven_session_must_prove_it(enrolled: Callable[..., Authenticator], client: Client) -> None:
    device = enrolled("olga", "Operator")
    client.force_login(device.user)
    assert client.get("/admin/account/second-factor/replace/")["Location"] == ENROL

    client.post(ENROL, {"code": code_of(device)})

    assert client.get("/admin/account/tokens/").status_code == 200


def test_replacing_keeps_the_old_one_until_confirmed(
    enrolled: Callable[..., Authenticator], client: Client, settings: Settings
) -> None:
    old = enrolled("olga", "Operator")
    client.force_login(old.user)
    client.post(ENROL, {"code": code_of(old)})
    client.get("/admin/account/second-factor/replace/")
    new = Authenticator.objects.get(confirmed=False)
    assert devices.confirmed(old.user) == old

    asked = client.post("/admin/account/second-factor/replace/", {"code": code_of(new)})
    assert devices.confirmed(old.user) == old
    shown = {"code": code_of(new), "step_up": asked.context["signed"], "step_up_code": code_of(old, 1)}
    client.post("/admin/account/second-factor/replace/", shown)

    assert devices.confirmed(old.user) == new
    assert not Authenticator.objects.filter(pk=old.pk).exists()


def test_new_recovery_codes_need_a_code(enrolled: Callable[..., Authenticator], client: Client) -> None:
    device = enrolled("olga", "Operator")
    old = devices.new_recovery_codes(device.user)
    client.force_login(device.user)
    client.post(ENROL, {"code": code_of(device)})
    url = reverse("account:recovery_codes")

    asked = client.post(url)
    client.post(url, {"step_up": asked.context["signed"], "step_up_code": "000000"})
    assert devices.remaining_recovery_codes(device.user) == 10
    Authenticator.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    shown = client.post(url, {"step_up": asked.context["signed"], "step_up_code": code_of(device, 1)}).content.decode()

    assert old[0] not in shown
    assert Entry.objects.filter(code="signin.recovery_codes_made").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("hours", [100, -100])
def test_a_factor_is_enrolled_at_the_databases_time(person: Callable[..., User], hours: int) -> None:
    olga = person("olga", "Viewer")
    with time_machine.travel(database_time() + timedelta(hours=hours)):
        devices.enrol(olga)
        devices.new_recovery_codes(olga)
    made = [*Authenticator.objects.all(), *RecoveryCodes.objects.all()]

    assert [abs(row.created_at - database_time()) < timedelta(minutes=2) for row in made] == [True] * 2
