"""The shared HTTP client: what each failure becomes, what is retried, and that no token leaves it."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests
import stamina
from urllib3.exceptions import MaxRetryError, SSLError

from providers.errors import ProviderError
from providers.http.api_client import never_sent, provider_error
from providers.http.errors import (
    CursorLost,
    NotFound,
    PlanTooLow,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
)
from providers.http.rate_limits import RateLimits, seconds_left
from providers.render import Render
from tests.providers.supabase_client import Answering
from tests.render_sandbox import Harness, running


@pytest.fixture
def harness() -> Iterator[Harness]:
    with running() as harness:
        yield harness


@pytest.fixture(autouse=True)
def quick_retries() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("401", Unauthorized),
        ("403", Unauthorized),
        ("402", PlanTooLow),
        ("404", NotFound),
        ("410", NotFound),
        ("400", Rejected),
        ("409", Rejected),
        ("500", UnknownOutcome),
        ("503", UnknownOutcome),
        ("429", RateLimited),
    ],
)
def test_a_write_becomes_one_typed_error_and_is_sent_once(
    harness: Harness, code: str, error: type[ProviderError]
) -> None:
    harness.control("fault", match="POST", kind=code, times=9)

    with pytest.raises(error):
        harness.render.deploys.create(harness.service())

    assert len(harness.writes()) == 1


@pytest.mark.parametrize("kind", ["lost", "cut", "hang"])
def test_a_write_without_an_answer_is_an_unknown_outcome(harness: Harness, kind: str) -> None:
    harness.control("fault", match="POST", kind=kind, times=9, seconds=3)

    with pytest.raises(UnknownOutcome, match="look before you repeat"):
        harness.render.deploys.create(harness.service())

    assert len(harness.writes()) == 1
    assert len(harness.deploys()) == 14 + (kind == "lost")


def test_a_write_that_never_left_is_merely_unavailable() -> None:
    render = Render("rnd_x", "http://127.0.0.1:9", timeout=(0.5, 0.5))

    with pytest.raises(Unavailable, match="This call changed nothing"):
        render.services.restart("srv-1")


@pytest.mark.parametrize(
    ("cause", "left"),
    [(ssl.SSLCertVerificationError(1, "certificate verify failed"), False), (ssl.SSLError(1, "bad record mac"), True)],
)
def test_only_a_refused_certificate_means_that_nothing_was_sent(cause: ssl.SSLError, left: bool) -> None:
    lost = MaxRetryError(None, "/", SSLError(cause))  # type: ignore[arg-type]

    assert never_sent(requests.exceptions.SSLError(lost)) is not left
    assert never_sent(requests.exceptions.SSLError(SSLError(cause))) is not left


@pytest.mark.parametrize("kind", ["500", "503", "429", "cut"])
def test_a_read_is_tried_again(harness: Harness, kind: str) -> None:
    harness.control("fault", match="GET /owners", kind=kind, times=1)
    harness.control("limits", read=400)

    owners = list(harness.render.owners.list()) if kind != "429" else None

    if kind == "429":
        harness.sandbox.limits.epoch = True
        with pytest.raises(RateLimited):
            harness.render.http.get("/owners", deadline=0.5)
    else:
        assert owners is not None
        assert [owner.name for owner in owners] == ["Sampelit"]


def test_a_read_of_a_dead_render_ends_at_its_deadline() -> None:
    render = Render("rnd_x", "http://127.0.0.1:9", timeout=(0.5, 0.5), deadline=1.0)
    begun = time.monotonic()

    with pytest.raises(Unavailable):
        list(render.services.list())

    assert time.monotonic() - begun < 3


def test_the_empty_bucket_stops_a_write_before_it_is_sent(harness: Harness) -> None:
    harness.control("limits", deploy=1)
    harness.render.services.resume(harness.service())

    with pytest.raises(RateLimited) as caught:
        harness.render.deploys.create(harness.service())

    assert len(harness.writes()) == 1
    assert 0 < caught.value.wait <= 60
    harness.render.env_vars.set(harness.service(), "OTHER_BUCKET", "open")


@pytest.mark.parametrize("epoch", [False, True])
def test_both_readings_of_the_reset_header(harness: Harness, epoch: bool) -> None:
    harness.control("limits", write=1, epoch=epoch)
    harness.render.env_vars.set(harness.service(), "A", "1")

    with pytest.raises(RateLimited) as caught:
        harness.render.env_vars.set(harness.service(), "A", "2")

    assert 50 < caught.value.wait <= 61


def test_reset_headers_are_read_leniently() -> None:
    assert seconds_left({"Ratelimit-Reset": "45"}) == 45
    assert seconds_left({"Ratelimit-Reset": str(time.time() + 30)}) == pytest.approx(30, abs=2)
    at = {"Date": "Mon, 30 Nov 2026 10:00:00 GMT"}
    assert seconds_left(at | {"Ratelimit-Reset": str(datetime(2026, 11, 30, 10, 0, 30, tzinfo=UTC).timestamp())}) == 30
    assert seconds_left({"Retry-After": "5", "Ratelimit-Reset": "45"}) == 5
    assert seconds_left({"Ratelimit-Reset": "soon"}) is None
    assert RateLimits().blocked("all", {}) == 10


def test_no_error_carries_the_token_or_a_secret(harness: Harness) -> None:
    harness.render.http._token = "plain-key-without-prefix"
    text = harness.render.http.redact("key plain-key-without-prefix, rnd_abcdefgh1234, whsec_c2VjcmV0c2VjcmV0")

    assert text == "key [redacted], [redacted], [redacted]"
    assert "secret" not in repr(harness.render.http.__dict__["_session"].headers)


def test_messages_of_odd_bodies() -> None:
    assert provider_error(b'{"message": "no"}') == ("", "no")
    assert provider_error(b'{"message": "no", "code": "invalid_cursor"}') == ("invalid_cursor", "no")
    assert provider_error(b'{"message": "no", "code": 7}') == ("", "no")
    assert provider_error(b"<html>Bad gateway</html>")[1].startswith("<html>")
    assert provider_error(b"") == ("", "no message")
    assert provider_error(b"[1]") == ("", "no message")


@pytest.mark.parametrize("word", ["invalid_cursor", "cursor_origin_receipt_expired", "cursor_origin_receipt_invalid"])
def test_a_place_in_a_list_that_is_no_longer_taken_says_so(word: str) -> None:
    render = Render("rnd_x", deadline=0.2)
    render.http._session.mount("https://", Answering(400, {"code": word, "message": "bad cursor"}))

    with pytest.raises(
        CursorLost, match=rf"where the list /services was to go on \({word}\). This call changed nothing"
    ):
        list(render.services.list())


def test_a_word_for_an_error_is_shown_also_one_that_nobody_knows() -> None:
    render = Render("rnd_x", deadline=0.2)
    render.http._session.mount("https://", Answering(409, {"code": "a_word_of_2027", "message": "busy"}))

    with pytest.raises(Rejected, match="409: a_word_of_2027: busy"):
        render.services.restart("srv-1")
