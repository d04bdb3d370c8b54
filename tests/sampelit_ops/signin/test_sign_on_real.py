"""Sign-in against a real OpenID provider (tests/oidc_provider), through its own pages of sign-in and consent."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from django.contrib.auth.models import User
from django.test import Client

from operations import authority
from operations.models import Environment
from sampelit_ops.roles import sync_roles
from tests import skips

BEGIN, BACK = "/admin/account/sign-on/", "/admin/account/sign-on/callback/"
HOME = "/admin/password_change/"
PEOPLE = {"olga": ["ops"], "eve": ["others"]}
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    script = skips.oidc_provider()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = [str(port), f"http://127.0.0.1:8000{BACK}", json.dumps(PEOPLE)]
    running = subprocess.Popen(["node", script.name, *given], cwd=script.parent, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert any(line.strip() == "ready" for line in running.stdout)
    yield f"http://127.0.0.1:{port}"
    running.terminate()
    running.wait(10)


@pytest.fixture
def client(client: Client, provider: str, settings: Any, production: Environment) -> Client:
    sync_roles()
    settings.OPS_BASE_URL = "http://127.0.0.1:8000"
    settings.DEMO = True  # a provider on this machine is allowed to nobody else
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID = provider, "ops"
    settings.OIDC_CLIENT_SECRET, settings.OIDC_ROLES = "a secret of this test", ["ops=Operator@production"]
    return client


def back_from(address: str, login: str) -> str:
    """What a person and their browser do at the provider: sign in, consent, and be sent back."""
    with requests.Session() as browser:
        answer = browser.get(address, timeout=10)
        while action := re.search(r'<form[^>]*action="([^"]+)"', answer.text):
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert prompt
            form = {"prompt": prompt[1], "login": login, "password": "any"}
            answer = browser.post(action[1], form, timeout=10, allow_redirects=False)
            while answer.is_redirect:
                if BACK in answer.headers["Location"]:
                    return answer.headers["Location"].removeprefix("http://127.0.0.1:8000")
                following = urljoin(answer.url, answer.headers["Location"])
                answer = browser.get(following, timeout=10, allow_redirects=False)
    raise AssertionError(answer.text)


def test_a_person_signs_in_with_the_roles_of_their_groups(client: Client) -> None:
    back = back_from(client.get(BEGIN, {"next": HOME})["Location"], "olga")

    answer = client.get(back)

    assert answer["Location"] == HOME
    assert client.get(HOME).status_code == 200
    assert authority.roles(User.objects.get(username="olga")) == ["Operator@production"]


def test_a_person_without_a_group_is_refused(client: Client) -> None:
    client.get(back_from(client.get(BEGIN)["Location"], "eve"))

    assert client.get(HOME).status_code == 302
    assert not User.objects.filter(username="eve").exists()


def test_its_code_works_once_and_for_one_browser(client: Client) -> None:
    back = back_from(client.get(BEGIN)["Location"], "olga")
    other = Client()
    other.get(BEGIN)
    other.get(back)
    assert other.get(HOME).status_code == 302
    client.get(back)
    client.post("/admin/logout/")

    client.get(back)

    assert client.get(HOME).status_code == 302


def test_its_code_belongs_to_the_verifier_of_its_question(client: Client) -> None:
    stolen = re.search(r"code=([^&]+)", back_from(client.get(BEGIN)["Location"], "olga"))
    assert stolen
    other = Client()
    own = back_from(other.get(BEGIN)["Location"], "eve")

    other.get(re.sub(r"code=[^&]+", f"code={stolen[1]}", own))

    assert other.get(HOME).status_code == 302
    assert not User.objects.filter(username="olga").exists()


def test_a_person_who_declines_there_is_not_signed_in(client: Client) -> None:
    address = client.get(BEGIN)["Location"]
    state = re.search(r"state=([^&]+)", address)
    assert state

    client.get(BACK, {"error": "access_denied", "state": state[1]})

    assert "access_denied" in client.get("/admin/login/").content.decode()


def test_a_wrong_secret_is_the_providers_refusal(client: Client, settings: Any) -> None:
    back = back_from(client.get(BEGIN)["Location"], "olga")
    settings.OIDC_CLIENT_SECRET = "wrong"

    client.get(back)

    assert client.get(HOME).status_code == 302
