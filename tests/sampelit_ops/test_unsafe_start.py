"""Settings that open the portal stop it before it serves: a demo that others reach, keys and hosts of anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as django_settings

from sampelit_ops import checks
from tests import portal_database

pytestmark = pytest.mark.slow

RENDERS_OWN = "0Zl3nUQK8hX5m7aR2yVt4cB6dW9eP1sJfLgTxMqDkSo="  # the shape of `generateValue`: 256 bits in base64


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({}, []),
        ({"RENDER": True}, ["ops.E005"]),
        ({"ALLOWED_HOSTS": ["ops.example.com"]}, ["ops.E005"]),
        ({"ALLOWED_HOSTS": ["0.0.0.0"]}, ["ops.E005"]),
        ({"ALLOWED_HOSTS": ["192.168.1.7"]}, ["ops.E005"]),
        ({"ALLOWED_HOSTS": ["localhost.example.com"]}, ["ops.E005"]),
        ({"ALLOWED_HOSTS": ["*"]}, ["ops.E005", "ops.E007"]),
        ({"OPS_BASE_URL": "https://ops.example.com"}, ["ops.E005"]),
        ({"OPS_BASE_URL": ""}, ["ops.E005"]),
        ({"ALLOWED_HOSTS": ["[::1]", "127.0.0.2", "demo.localhost"]}, []),
    ],
)
def test_a_demo_is_for_this_machine_only(settings: Any, changed: dict[str, object], refused: list[str]) -> None:
    for name, value in ({"ALLOWED_HOSTS": ["127.0.0.1", "localhost"]} | changed).items():
        setattr(settings, name, value)

    assert [message.id for message in checks.switches_are_safe(None)] == refused


@pytest.mark.parametrize("host", ["*", ".", "", ".onrender.com", "onrender.com", ".com", "*."])
def test_hosts_of_others_are_refused(settings: Any, host: str) -> None:
    settings.DEMO, settings.ALLOWED_HOSTS = False, ["ops.example.com", host]

    assert [message.id for message in checks.switches_are_safe(None)] == ["ops.E007"]


@pytest.mark.parametrize(
    "key", ["abc", "x" * 60, "abcabc" * 10, "django-insecure-" + RENDERS_OWN, "0123456789" * 5, RENDERS_OWN[:20]]
)
def test_a_key_that_can_be_guessed(settings: Any, key: str) -> None:
    settings.DEMO, settings.SHARED_KEY = False, key

    assert [message.id for message in checks.secret_key_is_strong(None)] == ["ops.E006"]


def test_a_key_that_render_makes(settings: Any) -> None:
    settings.DEMO, settings.SHARED_KEY = False, RENDERS_OWN

    assert checks.secret_key_is_strong(None) == []


@pytest.mark.django_db
def test_the_demos_own_database_passes() -> None:
    assert checks.demo_database_is_ours(None, ["default"]) == []


@pytest.mark.django_db
@pytest.mark.parametrize("directory", ["/var/lib/postgresql/17/main", "/nowhere/cluster"])
def test_another_database_is_none_of_the_demos(directory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "DATA_DIRECTORY", f"SELECT '{directory}'")

    assert [message.id for message in checks.demo_database_is_ours(None, ["default"])] == ["ops.E008"]


def test_a_server_that_does_not_answer_is_not_the_demos() -> None:
    done = _start("import sampelit_ops.wsgi", DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")

    assert done.returncode == 3
    assert "ops.E008" in done.stderr


UNSAFE = {
    "ops.E005": {"RENDER": "true"},
    "ops.E007": {"DEMO": "0", "ALLOWED_HOSTS": "*"},
    "ops.E006": {"DEMO": "0", "SECRET_KEY": "abc"},
}


DOORS = {
    "web": "import sampelit_ops.wsgi",
    "shell": "from sampelit_ops.command_line import execute; execute(['manage.py', 'tick'])",
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("refusal", UNSAFE)
def test_every_door_refuses(refusal: str, door: str) -> None:
    done = _start(DOORS[door], **UNSAFE[refusal])

    assert done.returncode != 0
    assert f"{refusal}: " in done.stderr
    assert "Nothing was started." in done.stderr


STARTING = """
from types import SimpleNamespace
from sampelit_ops.gunicorn_conf import on_starting
on_starting(SimpleNamespace(address=[{address}]))
"""


@pytest.mark.parametrize(
    ("demo", "address", "served"),
    [
        ("1", "('0.0.0.0', 8000)", False),
        ("true", "('::', 8000, 0, 0)", False),
        ("1", "('127.0.0.1', 8000), ('10.0.0.1', 8000)", False),
        ("1", "('127.0.0.1', 8000), ('::1', 8000, 0, 0), '/run/portal'", True),
        ("0", "('0.0.0.0', 8000)", True),
    ],
)
def test_the_web_server_of_a_demo_stays_on_loopback(demo: str, address: str, served: bool) -> None:
    done = _start(STARTING.format(address=address), DEMO=demo)

    assert (done.returncode == 0) is served, done.stderr


@pytest.mark.parametrize(("demo", "given", "votes"), [("0", {}, 1), ("1", {}, 0), ("0", {"OPS_PASSKEY_VOTES": "0"}, 0)])
def test_outside_a_demo_only_a_passkey_votes_on_what_destroys(demo: str, given: dict[str, str], votes: int) -> None:
    done = _start("from django.conf import settings; print(settings.OPS_PASSKEY_VOTES)", DEMO=demo, **given)

    assert done.stdout.strip() == str(votes), done.stderr


def _start(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=django_settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": portal_database.server.dsn("postgres"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
