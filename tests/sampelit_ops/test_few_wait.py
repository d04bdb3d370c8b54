"""Few threads of a web process wait for somebody outside; whoever asks then is told at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from backups.models import StoreReport
from deployments.web import remote
from operations.models import Environment
from providers import outside, postgres
from providers.errors import ProviderError
from providers.http import deadline

BUSY = "3 other pages wait for answers from outside. Nothing was asked and nothing was changed"


@pytest.fixture
def all_wait(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As many pages as may wait do."""
    monkeypatch.setattr(outside, "TURN_SECONDS", 0.01)
    done, begun = threading.Event(), [threading.Event() for _ in range(outside.AT_ONCE)]

    def wait(ready: threading.Event) -> None:
        with outside.serving(), outside.waiting():
            ready.set()
            done.wait(60)

    threads = [threading.Thread(target=wait, args=(ready,)) for ready in begun]
    with ExitStack() as stack:
        for thread, ready in zip(threads, begun, strict=True):
            stack.callback(thread.join)
            thread.start()
            assert ready.wait(10)
        stack.callback(done.set)
        yield


def _exchange() -> None:
    with deadline.within(1):
        pass


def _session() -> None:
    postgres.connect("postgresql://127.0.0.1:9/x")


@pytest.mark.parametrize("ask", [_exchange, _session])
def test_a_page_is_told_at_once(all_wait: None, ask: Callable[[], None]) -> None:
    with outside.serving(), pytest.raises(ProviderError, match=BUSY):
        ask()


def test_workers_wait_as_long_as_they_like(all_wait: None) -> None:
    _exchange()


def test_the_turn_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "TURN_SECONDS", 0.01)
    with outside.serving():
        for _ in range(2 * outside.AT_ONCE):
            with outside.waiting(), outside.waiting():
                pass


def test_what_render_knows_is_missing_on_the_page(all_wait: None, settings: Any, django_user_model: type[User]) -> None:
    settings.RENDER_API_KEY = "rnd_x"
    with outside.serving():
        answers, missing = remote.read("few-wait", {"log": lambda api: "read"})

    assert (answers, BUSY in missing[0]) == ({}, True)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/admin/connect/", "store"])
def test_pages_that_ask_outside_say_so(all_wait: None, production: Environment, client: Client, path: str) -> None:
    client.force_login(User.objects.create_superuser("root", password="x"))
    store = StoreReport.objects.create(url="file:///nowhere", usable=True, findings=[])
    path = f"/admin/backups/storereport/{store.pk}/change/" if path == "store" else path

    answer = client.post(path, {"environment": "production"}, follow=True)

    assert BUSY in answer.content.decode()


@pytest.mark.django_db
def test_other_pages_go_on(all_wait: None, client: Client) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/admin/login/").status_code == 200
