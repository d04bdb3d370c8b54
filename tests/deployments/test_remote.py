"""Pages never wait on Render: what it says is fetched beside them, once, and shown with its age."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import OperationalError, connection

from deployments.models import SyncState
from deployments.web import remote
from providers.http.errors import Misshapen, NotFound, Unavailable


@pytest.fixture(autouse=True)
def render(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.RENDER_API_KEY = "rnd_x"
    monkeypatch.setattr(remote, "PATIENCE_SECONDS", 0.3)
    cache.clear()
    remote._fetches.clear()
    yield
    cache.clear()
    remote._fetches.clear()


def down(api: object) -> None:
    raise Unavailable("Render did not answer.")


@pytest.mark.parametrize("kind", ["hangs", "refuses"])
def test_while_render_is_down_one_page_waits_shortly_and_no_other(kind: str) -> None:
    over, asked = threading.Event(), []

    def hang(api: object) -> None:
        asked.append(1)
        over.wait(20)

    reader: Callable[[object], None] = hang if kind == "hangs" else down
    began, took = time.monotonic(), []
    for number in range(30):
        answers, missing = remote.read(f"page:{number}", dict.fromkeys("abcdef", reader))
        took.append(time.monotonic() - began)
        began = time.monotonic()
        assert (answers, bool(missing)) == ({}, True)

    over.set()
    assert took[0] < 2
    assert sum(took[1:]) < 1
    assert len(asked) <= 6


@pytest.mark.parametrize("error", [KeyError("id"), OperationalError("the connection is closed"), RecursionError()])
def test_what_no_reader_expected_is_missing_and_asked_again_later(error: Exception) -> None:
    asked: list[int] = []

    def broken(api: object) -> None:
        asked.append(1)
        raise error

    for _ in range(3):
        answers, missing = remote.read("page", {"log": broken, "name": lambda api: "n"})
        assert (answers["name"], missing[0]) == (
            "n",
            f"log: what Render answered could not be read ({type(error).__name__})",
        )
    with time_machine.travel(time.time() + 300):
        remote.read("page", {"log": lambda api: "lines", "name": lambda api: "n"})
        remote.wait(remote._fetches["page"].values(), timeout=20)
        answers, missing = remote.read("page", {})

    assert (len(asked), answers, missing) == (1, {"log": "lines", "name": "n"}, [])


@pytest.mark.parametrize("error", [KeyError("id"), NotFound("It is gone."), Misshapen("A list was expected.")])
def test_a_bad_answer_to_one_page_leaves_the_others_asked(error: Exception) -> None:
    def bad(api: object) -> None:
        raise error

    _, missing = remote.read("page:1", {"log": bad})

    assert len(missing) == 1
    assert remote.read("page:2", {"log": lambda api: "lines"}) == ({"log": "lines"}, [])


@pytest.mark.django_db(transaction=True)
def test_a_thread_keeps_no_session_with_the_database() -> None:
    """One that the server ends meanwhile would fail every later question of its thread."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        ours = cursor.fetchone()
    for number in range(9):
        remote.read(f"page:{number}", {"rows": lambda api: SyncState.objects.count()})

    until, left = time.monotonic() + 20, []
    while left != [ours] and time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
            left = cursor.fetchall()
    assert left == [ours]


def test_what_came_is_kept_and_asked_once_in_a_while() -> None:
    asked: list[int] = []
    readers = {"log": lambda api: asked.append(1) or "lines"}

    first, second = remote.read("page", readers), remote.read("page", readers)

    assert (first, second, len(asked)) == (({"log": "lines"}, []), ({"log": "lines"}, []), 1)


def test_old_answers_are_shown_with_their_age_until_newer_ones_came() -> None:
    remote.read("page", {"log": lambda api: "old"})
    with time_machine.travel(time.time() + 300):
        over = threading.Event()
        answers, missing = remote.read("page", {"log": lambda api: over.wait(20) and "new"})
        assert (answers, "as of 300 s ago" in missing[-1]) == ({"log": "old"}, True)
        over.set()
        remote.wait(remote._fetches["page"].values(), timeout=20)

        assert remote.read("page", {}) == ({"log": "new"}, [])


def test_what_fails_leaves_what_is_known_with_its_age() -> None:
    remote.read("page", {"log": lambda api: "old"})
    with time_machine.travel(time.time() + 300):
        for _ in range(3):
            answers, missing = remote.read("page", {"log": down})

    assert answers == {"log": "old"}
    assert [line.partition(":")[0] for line in missing] == ["log", "as of 300 s ago; it is being read again"]
