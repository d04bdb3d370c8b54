"""JSON over HTTPS for the provider clients: requests go in, parsed JSON or one typed ProviderError comes out.

Reads are retried by stamina within a total deadline; writes are sent once, and a write whose answer was lost raises
UnknownOutcome, to be looked up and never repeated. Tokens never appear in an error.
"""

from __future__ import annotations

import math
import random
import re
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests
import stamina
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, SSLError

from providers import bounded_json, redact
from providers.errors import ProviderError
from providers.http import tally
from providers.http.errors import (
    CURSOR_LOST,
    CursorLost,
    Misshapen,
    NotFound,
    PlanTooLow,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
    UnknownOutcome,
)
from providers.http.rate_limits import RateLimits
from providers.http.transport import DeadlineAdapter, exchange

PART = 206  # that we never ask for
MAX_BODY_BYTES = 8 * 1024 * 1024
MOST_PARTS = 200_000  # of an answer: a page of either provider has some thousands
# No piece climbs (`.`, `..`) or ends the path: an id from outside names nothing but what it is put behind.
_PATH = re.compile(r"/|(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9_.~%:@!$&'()*+,;=-]+)+")
Params = Mapping[str, str | int | bool | Sequence[str] | None]


class Bearer(requests.auth.AuthBase):
    """Sets the Authorization header itself, so that a ~/.netrc cannot replace the token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class JsonClient:
    """One provider's door. `bucket(method, path)` names the rate-limit bucket that a request counts against.

    An exchange takes at most the sum of `timeout` (to connect, to answer), a read with its repetitions `deadline`.
    """

    def __init__(
        self,
        provider: str,
        base: str,
        token: str,
        *,
        bucket: Callable[[str, str], str] = lambda method, path: "all",
        timeout: tuple[float, float] = (5.0, 20.0),
        deadline: float = 45.0,
    ) -> None:
        self.provider, self.base, self._token = provider, base.rstrip("/"), token
        self.timeout, self.deadline, self._bucket = timeout, deadline, bucket
        self.limits = RateLimits()
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", "User-Agent": "sampelit-ops"})
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, DeadlineAdapter())

    def get(self, path: str, params: Params | None = None, *, deadline: float | None = None) -> Any:
        """Parsed JSON of a read; retried on 429, 5xx and connection errors until `deadline` seconds have passed."""
        total = self.deadline if deadline is None else deadline
        ends, pause = time.monotonic() + total, 0.1

        def retry_wait(error: Exception) -> bool | float:
            nonlocal pause
            if not isinstance(error, RateLimited | Unavailable):
                return False
            wait = max(getattr(error, "wait", 0.0), pause * random.uniform(1, 2))  # noqa: S311 - "at once" is no flood
            pause = min(2 * pause, 4.0)
            return max(wait, 0.01) if time.monotonic() + wait < ends else False

        for attempt in stamina.retry_context(on=retry_wait, attempts=None, timeout=total):
            with attempt:
                answer = self._once("GET", path, most_seconds=ends - time.monotonic(), params=params)
                if answer is None:  # null, or an empty body: no read of either provider has that for an answer
                    raise Misshapen(f"{self.provider} answered GET {path} with nothing.")
                return answer
        raise AssertionError("stamina always returns or raises")

    def send(self, method: str, path: str, *, params: Params | None = None, body: Any = None, files: Any = None) -> Any:
        """Sends a write exactly once and returns its parsed answer, or None where the provider answers no body.

        Raises UnknownOutcome when the answer was lost or is a 5xx: the caller looks the effect up."""
        return self._once(method, path, params=params, json=body, files=files)

    def _once(self, method: str, path: str, *, most_seconds: float = math.inf, **arguments: Any) -> Any:
        if not _PATH.fullmatch(path):
            raise Rejected(
                f"{path[:200]!r} is no address at {self.provider}. It was not asked, and nothing was changed."
            )
        bucket = self._bucket(method, path)
        if (wait := self.limits.wait(bucket)) > 0:
            raise RateLimited(f"{self.provider}'s rate limit is used up; try again in {wait:.0f} s.", wait)
        tally.count(self.provider)
        try:
            response, content = exchange(
                self._session,
                method,
                self.base + path,
                seconds=max(0.1, min(sum(self.timeout), most_seconds)),
                most_bytes=MAX_BODY_BYTES,
                auth=Bearer(self._token),
                timeout=self.timeout,
                **arguments,
            )
            if len(content) > MAX_BODY_BYTES:
                raise requests.ConnectionError("the answer is too long")
        except (requests.RequestException, OSError) as error:
            raise self._lost(method, path, error) from None
        self.limits.learn(bucket, response.headers)
        return self._answer(method, path, bucket, response, content)

    def _lost(self, method: str, path: str, error: Exception) -> ProviderError:
        what = f"{self.provider} did not answer {method} {path} ({type(error).__name__})."
        if method == "GET" or never_sent(error):
            return Unavailable(f"{what} This call changed nothing. Check {self.provider}'s status page and try again.")
        return UnknownOutcome(f"{what} It may have been carried out; look before you repeat it.")

    def _answer(self, method: str, path: str, bucket: str, response: requests.Response, content: bytes) -> Any:
        code = response.status_code
        if 200 <= code < 300 and code != PART:
            try:
                return bounded_json.loads(content, parts=MOST_PARTS, repair=True) if content.strip() else None
            except ValueError:
                return self._garbled(method, path)
        word, message = (self.redact(said) for said in provider_error(content))
        if code == 429:
            wait = self.limits.blocked(bucket, response.headers)
            raise RateLimited(f"{self.provider} asks to slow down; try again in {wait:.0f} s.", wait)
        if word in CURSOR_LOST:
            raise CursorLost(self.provider, path, word)
        raise self._error(code, method, path, f"{word}: {message}" if word else message)

    def _garbled(self, method: str, path: str) -> Any:
        if method == "GET":
            raise Unavailable(f"{self.provider} answered GET {path} with something that is not JSON.")
        raise UnknownOutcome(f"{self.provider} accepted {method} {path}, but its answer could not be read.")

    def _error(self, code: int, method: str, path: str, message: str) -> ProviderError:
        name, what = self.provider, f"{method} {path} ({code}: {message})"
        if code in (401, 403):
            hint = f"Create a new key in {name}'s settings and set it in the portal's environment."
            return Unauthorized(f"{name} refused the key for {what}. This call changed nothing. {hint}", code)
        if code in (404, 410):
            return NotFound(f"{name} does not know {what}. It was deleted or belongs to another owner.")
        if code == 402:
            return PlanTooLow(f"{name}'s plan does not include {what}. This call changed nothing.")
        if (code >= 500 or code < 400) and method == "GET":
            return Unavailable(f"{name} failed on {what}. This call changed nothing.")
        if code >= 500 or code < 400:  # a redirect, or whoever stands between, says nothing of what was done
            return UnknownOutcome(f"{name} failed on {what}. It may have been carried out; look before you repeat it.")
        return Rejected(f"{name} declined {what}. This call changed nothing.")

    def redact(self, text: str) -> str:
        """The text without our token and without anything that looks like a provider's secret."""
        hidden = text.replace(self._token, "[redacted]") if self._token else text
        return redact.current().text(hidden)


def never_sent(error: Exception) -> bool:
    """True where the request cannot have reached the provider: no connection was made."""
    reason = getattr(error.args[0], "reason", error.args[0]) if error.args else None
    early = isinstance(error, requests.ConnectTimeout | requests.exceptions.InvalidURL)
    if isinstance(reason, SSLError):  # other TLS errors may come while the answer is read
        return isinstance(next(iter(reason.args), None), ssl.SSLCertVerificationError)
    return early or isinstance(reason, NewConnectionError | ConnectTimeoutError)


def provider_error(content: bytes) -> tuple[str, str]:
    """The `code` (Render's word for some errors) and the `message` of an error's body, or its first 200 characters."""
    try:
        parsed = bounded_json.loads(content, parts=MOST_PARTS)
    except ValueError:
        return "", content[:200].decode("utf-8", "replace") or "no message"
    said = parsed if isinstance(parsed, dict) else {}
    word = said.get("code")
    return word[:80] if isinstance(word, str) else "", str(said.get("message") or "no message")[:500]
