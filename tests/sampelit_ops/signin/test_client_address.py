"""Whose address it is behind Render's edges, and what a thousand addresses are good for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from sampelit_ops.signin.client_address import RENDER_NETWORKS, client_ip, client_network

Attempt = Callable[..., object]


@pytest.mark.parametrize(
    ("direct", "forwarded", "client"),
    [
        ("10.1.2.3", "203.0.113.5, 104.22.17.40", "203.0.113.5"),
        ("10.1.2.3", "203.0.113.5, 172.69.1.1, 10.9.9.9", "203.0.113.5"),
        ("10.1.2.3", "8.8.8.8, 203.0.113.5, 104.22.17.40", "203.0.113.5"),
        ("10.1.2.3", "10.0.0.1, 203.0.113.5, 104.22.17.40", "203.0.113.5"),
        ("10.1.2.3", "nonsense, 203.0.113.5", "203.0.113.5"),
        ("10.1.2.3", "203.0.113.5, nonsense, 104.22.17.40", "104.22.17.40"),
        ("10.1.2.3", "2001:db8:1:2::9, 2606:4700::1", "2001:db8:1:2::9"),
        ("10.1.2.3", "::ffff:203.0.113.5, 104.22.17.40", "203.0.113.5"),
        ("10.1.2.3", "", "10.1.2.3"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("::ffff:10.1.2.3", "203.0.113.5", "203.0.113.5"),
        ("", "203.0.113.5", ""),
    ],
)
def test_behind_renders_edges(settings: Settings, direct: str, forwarded: str, client: str) -> None:
    settings.OPS_PROXY_NETWORKS = list(RENDER_NETWORKS)
    request = RequestFactory().get("/", REMOTE_ADDR=direct, HTTP_X_FORWARDED_FOR=forwarded)

    assert client_ip(request) == client


@pytest.mark.parametrize(
    ("direct", "counted"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("", ""),
    ],
)
def test_what_is_counted(settings: Settings, direct: str, counted: str) -> None:
    settings.OPS_PROXY_NETWORKS = []

    assert client_network(RequestFactory().get("/", REMOTE_ADDR=direct)) == counted


def test_a_network_of_addresses_is_one(person: Callable[..., User], sign_in: Attempt, settings: Settings) -> None:
    person("vera", "Viewer")
    for n in range(settings.AXES_FAILURE_LIMIT):
        sign_in("vera", password="wrong", REMOTE_ADDR=f"2001:db8::{n + 1}")

    assert sign_in("vera", REMOTE_ADDR="2001:db8::ffff").status_code == 429
    assert sign_in("vera", REMOTE_ADDR="2001:db8:0:1::1").status_code == 302


def test_a_thousand_addresses_guess_no_faster(
    person: Callable[..., User], sign_in: Attempt, settings: Settings
) -> None:
    person("vera", "Viewer")
    person("ada", "Viewer")
    sign_in("vera", REMOTE_ADDR="198.51.100.4")
    for n in range(settings.SIGNIN_FAILURES_OF_A_NAME - 1):
        assert sign_in("vera", password="wrong", REMOTE_ADDR=f"203.0.{n}.1").status_code == 200

    assert sign_in("vera", password="wrong", REMOTE_ADDR="203.0.112.1").status_code == 429
    assert sign_in("vera", REMOTE_ADDR="203.0.113.200").status_code == 429
    assert sign_in("ada", REMOTE_ADDR="203.0.113.201").status_code == 302
    assert sign_in("vera", REMOTE_ADDR="198.51.100.4").status_code == 302
