"""What the providers' rate-limit headers said, per bucket: answers how long to wait before the next request.

Render sends Ratelimit-* and documents the reset as epoch seconds while its example shows seconds left; Supabase
sends X-RateLimit-* in seconds left. Both readings are accepted
(api-docs.render.com/reference/rate-limiting; supabase.com/docs/reference/api/introduction, "Rate limits").
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime

DEFAULT_BLOCK_SECONDS = 10.0
MAX_BLOCK_SECONDS = 300.0  # however long it is asked for: a rollback may wait behind it
EPOCH_FROM = 1_000_000_000


def _number(headers: Mapping[str, str], *names: str) -> float | None:
    """The first that is a finite number, or a date, as Retry-After may be (RFC 9110, 10.2.3)."""
    for name in names:
        with suppress(KeyError, ValueError):
            value = float(headers[name])
            if math.isfinite(value):
                return value
        with suppress(KeyError, ValueError):
            return parsedate_to_datetime(headers[name]).timestamp()
    return None


def seconds_left(headers: Mapping[str, str]) -> float | None:
    """Seconds until the bucket refills, from Retry-After or the reset header; None where neither is readable. A moment
    is held against the provider's own clock where it tells that too."""
    value = _number(headers, "Retry-After", "Ratelimit-Reset", "X-RateLimit-Reset")
    if value is None:
        return None
    left = value - _its_time(headers) if value > EPOCH_FROM else value
    return min(max(left, 0.0), MAX_BLOCK_SECONDS)


def _its_time(headers: Mapping[str, str]) -> float:
    try:
        return parsedate_to_datetime(headers["Date"]).timestamp()
    except (KeyError, ValueError):
        return time.time()


class RateLimits:
    """Thread-safe memory of when each bucket opens again."""

    def __init__(self) -> None:
        self._opens: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait(self, bucket: str) -> float:
        """Seconds until a request of this bucket may be sent; 0 when it may be sent now."""
        with self._lock:
            return max(0.0, self._opens.get(bucket, 0.0) - time.monotonic())

    def learn(self, bucket: str, headers: Mapping[str, str]) -> None:
        """Remembers that the bucket is empty when the answer says that nothing remains."""
        remaining = _number(headers, "Ratelimit-Remaining", "X-RateLimit-Remaining")
        if remaining is not None and remaining <= 0:
            self._close(bucket, seconds_left(headers) or 0.0)

    def blocked(self, bucket: str, headers: Mapping[str, str]) -> float:
        """Closes the bucket after a 429 and returns for how many seconds."""
        left = seconds_left(headers)
        return self._close(bucket, DEFAULT_BLOCK_SECONDS if left is None else max(left, 0.1))

    def _close(self, bucket: str, seconds: float) -> float:
        with self._lock:
            self._opens[bucket] = time.monotonic() + seconds
        return seconds
