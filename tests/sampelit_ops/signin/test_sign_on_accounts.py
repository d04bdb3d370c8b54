"""Accounts from before the sign-in provider: linked by their people; passwords kept for a few; what the doctor says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from operations import doctor
from sampelit_ops.models import Identity
from sampelit_ops.signin.invitations import link_for
from tests.sampelit_ops.signin.codes import PASSWORD
from tests.sampelit_ops.signin.issuer import Issuer
from tests.sampelit_ops.signin.test_sign_on import BACK, HOME, issuer, sign_on, signed_in

__all__ = ["issuer"]
pytestmark = pytest.mark.django_db


def test_an_account_from_before_is_linked_by_its_person(issuer: Issuer, person: Callable[..., User]) -> None:
    vera, client = person("vera", "Viewer"), Client()
    client.force_login(vera)
    issuer.claims["email"] = "vera@example.com"
    page = client.post("/admin/account/sign-on/link/")
    address = page.context["address"]

    assert address.replace("&", "&amp;") in page.content.decode()
    client.get(BACK, issuer.authorize(address))
    assert Identity.objects.get().user == vera
    assert signed_in(sign_on(issuer))
    assert User.objects.filter(username="olga").count() == 0


def test_a_link_belongs_to_whoever_asked_for_it(issuer: Issuer, person: Callable[..., User]) -> None:
    vera, client = person("vera", "Viewer"), Client()
    client.force_login(vera)
    back = issuer.authorize(client.post("/admin/account/sign-on/link/").context["address"])
    session = client.session
    session["oidc_attempt"]["link"] = person("ada", "Viewer").pk
    session.save()

    client.get(BACK, back)

    assert not Identity.objects.exists()
    assert client.get("/admin/account/sign-on/link/").status_code == 405


def test_an_identity_is_one_persons(issuer: Issuer, person: Callable[..., User]) -> None:
    sign_on(issuer)
    client = Client()
    client.force_login(person("vera", "Viewer"))

    client.get(BACK, issuer.authorize(client.post("/admin/account/sign-on/link/").context["address"]))

    assert Identity.objects.get().user.username == "olga"


def test_passwords_are_kept_for_the_few_who_are_named(
    issuer: Issuer, person: Callable[..., User], settings: Any
) -> None:
    for name in ("amir", "vera"):
        person(name, "Viewer")
    settings.OIDC_PASSWORD_USERS = ["amir"]
    given = {"password": PASSWORD, "next": HOME}

    assert Client().post("/admin/login/", {"username": "vera", **given}).status_code == 200
    assert Client().post("/admin/login/", {"username": "amir", **given}).status_code == 302
    assert signed_in(sign_on(issuer))


def test_a_one_time_link_is_no_way_around_it(issuer: Issuer, person: Callable[..., User], settings: Any) -> None:
    vera, client = person("vera", "Viewer"), Client()
    settings.OIDC_PASSWORD_USERS = ["amir"]
    form = client.get(link_for(vera), follow=True).request["PATH_INFO"]
    new = "another-long-sentence-42"

    answer = client.post(form, {"new_password1": new, "new_password2": new})

    assert "Nothing was changed" in answer.content.decode()
    assert not signed_in(client)
    assert User.objects.get(pk=vera.pk).check_password(PASSWORD)


def test_the_doctor_asks_the_provider_and_for_somebody_who_gets_in_without_it(
    issuer: Issuer, person: Callable[..., User], settings: Any
) -> None:
    def tones() -> list[str]:
        return [check.tone for check in doctor.run(only="sign_on")]

    assert tones() == ["ok"]
    settings.OIDC_PASSWORD_USERS = ["amir"]
    assert tones() == ["bad", "ok"]
    person("amir", "Admin")
    assert tones() == ["ok"]
    issuer.answers["/.well-known/openid-configuration"] = b"[]"
    assert tones() == ["bad"]
    settings.OIDC_ISSUER = ""
    assert tones() == ["idle"]
