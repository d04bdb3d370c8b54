"""Answers that are none: what is between us and a provider, nonsense in headers, numbers that are none."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from providers import bounded_json
from providers.errors import ProviderError
from providers.http.api_client import JsonClient
from providers.http.errors import RateLimited, Rejected, Unavailable, UnknownOutcome
from providers.http.rate_limits import DEFAULT_BLOCK_SECONDS, MAX_BLOCK_SECONDS, RateLimits
from providers.render.paging import at
from tests.providers.supabase_client import Answering

NOWHERE = "https://api.example"
Ask = Callable[[JsonClient], Any]


def client(adapter: Answering, deadline: float = 0.3) -> JsonClient:
    client = JsonClient("Render", NOWHERE, "token", deadline=deadline)
    client._session.mount("https://", adapter)
    return client


@pytest.mark.parametrize("code", [101, 199, 206, 300, 302, 303, 304, 307, 399])
def test_who_stands_between_says_nothing_of_what_was_done(code: int) -> None:
    adapter = Answering(code, {"id": "srv-1"}, {"Location": "https://elsewhere.example"})

    with pytest.raises(UnknownOutcome):
        client(adapter).send("POST", "/services/srv-1/restart")
    assert len(adapter.requests) == 1
    with pytest.raises(Unavailable):
        client(adapter).get("/services")
    assert {request.url for request in adapter.requests[1:]} == {f"{NOWHERE}/services"}


WHEN = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)
WAITS: list[tuple[dict[str, str], float]] = [
    ({"Retry-After": "nan"}, DEFAULT_BLOCK_SECONDS),
    ({"Retry-After": "inf"}, DEFAULT_BLOCK_SECONDS),
    ({"Retry-After": "-inf", "Ratelimit-Reset": "7"}, 7),
    ({"Retry-After": "1e999"}, DEFAULT_BLOCK_SECONDS),
    ({"Retry-After": "soon"}, DEFAULT_BLOCK_SECONDS),
    ({"Retry-After": "-3"}, 0.1),
    ({"Retry-After": "1e8"}, MAX_BLOCK_SECONDS),
    ({"Retry-After": format_datetime(WHEN + timedelta(seconds=42), usegmt=True)}, 42),
    ({"Retry-After": format_datetime(WHEN - timedelta(days=1), usegmt=True)}, 0.1),
    ({"Retry-After": "nan", "Ratelimit-Reset": "nan"}, DEFAULT_BLOCK_SECONDS),
]


@pytest.mark.parametrize(("headers", "seconds"), WAITS, ids=[str(row[0]) for row in WAITS])
def test_how_long_to_wait_is_a_number_whatever_is_said(headers: dict[str, str], seconds: float) -> None:
    told = {"Date": format_datetime(WHEN, usegmt=True)} | headers
    with pytest.raises(RateLimited) as raised:
        client(Answering(429, None, told)).send("POST", "/services/srv-1/restart")

    assert raised.value.wait == seconds
    limits = RateLimits()
    limits.blocked("all", told)
    assert seconds - 1 < limits.wait("all") <= seconds


def test_no_repetition_begins_after_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    for deadline in (0.5, 1.0, 2.0):
        begun = time.monotonic()
        with pytest.raises(ProviderError):
            client(Answering(503), deadline).get("/services")
        assert time.monotonic() - begun < deadline + 0.3


NO_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"]


@pytest.mark.parametrize("word", NO_NUMBERS)
def test_what_is_no_number_is_none(word: str) -> None:
    text = f'{{"a": {word}, "b": 1.5, "c": [{word}]}}'

    assert bounded_json.loads(text, repair=True) == {"a": None, "b": 1.5, "c": [None]}
    with pytest.raises(ValueError, match="no number"):
        bounded_json.loads(text)


def test_an_answer_without_any_is_read_as_ever() -> None:
    assert client(Answering(200, {"a": 1.25e10, "b": -0.0, "c": 10**30})).get("/x") == {
        "a": 1.25e10,
        "b": 0.0,
        "c": 10**30,
    }


IDS = ["", ".", "..", "../srv-2", "a/../b", "a?b=c", "a#b", "a b", "a\nb", "a\\b", "é", "%2e%2e", "srv-1"]


@pytest.mark.parametrize("piece", IDS)
def test_an_id_from_outside_names_nothing_above_it(piece: str) -> None:
    """Quoted as Render's client does, and as it comes: `..` behind a variable's name deleted the service."""
    adapter = Answering(200, {})
    for path in (at("services", "srv-1", "env-vars", piece), f"/services/srv-1/env-vars/{piece}"):
        with suppress(Rejected):
            client(adapter).send("DELETE", path)

    for request in adapter.requests:
        assert (request.url or "").startswith(f"{NOWHERE}/services/srv-1/env-vars/")
        assert len((request.url or "").removesuffix("/")) > len(f"{NOWHERE}/services/srv-1/env-vars")
    assert bool(adapter.requests) is (piece not in ("", ".", ".."))
