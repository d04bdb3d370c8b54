"""The page that asks for a second factor: it shows what is confirmed, sends the same form again, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from ledger.models import Entry
from operations import authority
from operations.models import Authenticator, StepUp
from operations.web.step_up import ASKS
from tests.sampelit_ops.signin.codes import code_of

NO_CODE_YET = {"throttling_failure_count": 0, "throttling_failure_timestamp": None}


@pytest.fixture
def vera(person: Callable[..., User]) -> User:
    return person("vera", "Viewer")


@pytest.fixture
def amir(enrolled: Callable[..., Authenticator], client: Client, settings: Settings) -> Authenticator:
    """An admin who is signed in with a code of the half minute before this one."""
    device = enrolled("amir", "Admin")
    client.force_login(device.user)
    client.post("/admin/account/second-factor/", {"code": code_of(device, -1)})
    return device


def _give(client: Client, someone: User, *roles: str, **more: str) -> object:
    given = {"email": someone.email, "roles": roles, **more}
    return client.post(f"/admin/auth/user/{someone.pk}/change/", given)


def test_it_shows_what_is_confirmed_and_does_it_with_a_code(amir: Authenticator, vera: User, client: Client) -> None:
    asked = _give(client, vera, "Viewer", "Operator")
    page = asked.content.decode()
    assert (asked.status_code, authority.roles(vera)) == (ASKS, ["Viewer"])
    assert "Change the roles of vera" in page
    assert asked.context["binding"].digest in page
    assert asked["Cache-Control"] == "no-store"
    again = dict(asked.context["again"])

    done = _give(client, vera, "Viewer", "Operator", step_up=asked.context["signed"], step_up_code=code_of(amir))

    assert (done.status_code, authority.roles(vera)) == (302, ["Operator", "Viewer"])
    assert again.pop("form_key")
    assert again == {"email": vera.email, "roles": "Operator"}
    assert Entry.objects.filter(code="signin.stepped_up", actor="amir", subject="vera").exists()


def test_a_wrong_code_does_nothing_and_asks_again(amir: Authenticator, vera: User, client: Client) -> None:
    signed = _give(client, vera, "Operator").context["signed"]

    for code in ("000000", "", "x" * 50):
        Authenticator.objects.update(**NO_CODE_YET)
        answer = _give(client, vera, "Operator", step_up=signed, step_up_code=code)
        assert (answer.status_code, authority.roles(vera)) == (ASKS, ["Viewer"])

    assert "wrong or was used before" in answer.content.decode()
    assert not StepUp.objects.exists()


def test_other_values_than_those_shown_are_asked_for_anew(amir: Authenticator, vera: User, client: Client) -> None:
    asked = _give(client, vera, "Viewer", "Operator")

    swapped = _give(client, vera, "Admin", step_up=asked.context["signed"], step_up_code=code_of(amir))

    assert (swapped.status_code, authority.roles(vera)) == (ASKS, ["Viewer"])
    assert StepUp.objects.get().spent_at is None


def test_what_another_session_was_shown_confirms_nothing(amir: Authenticator, vera: User, client: Client) -> None:
    signed = _give(client, vera, "Operator").context["signed"]
    thief = Client()
    thief.force_login(amir.user)
    session = thief.session
    session["otp_device_id"] = amir.persistent_id
    session.save()

    answer = _give(thief, vera, "Operator", step_up=signed, step_up_code=code_of(amir))

    assert (answer.status_code, authority.roles(vera)) == (ASKS, ["Viewer"])
    assert not StepUp.objects.exists()


def test_a_form_of_strangers_burns_no_code(amir: Authenticator, vera: User, client: Client) -> None:
    signed = _give(client, vera, "Operator").context["signed"]
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies

    answer = _give(strict, vera, "Operator", step_up=signed, step_up_code=code_of(amir))

    assert (answer.status_code, StepUp.objects.count(), authority.roles(vera)) == (403, 0, ["Viewer"])
    done = _give(client, vera, "Operator", step_up=signed, step_up_code=code_of(amir))
    assert done.status_code == 302


def test_who_has_no_factor_is_sent_to_enrol(person: Callable[..., User], client: Client, settings: Settings) -> None:
    settings.DEMO = True
    client.force_login(person("vera", "Viewer"))

    answer = client.post("/admin/account/tokens/", {"name": "laptop", "days": "3"})

    assert answer.status_code == ASKS
    assert "Enrol a second factor" in answer.content.decode()
    assert 'name="step_up_code"' not in answer.content.decode()
