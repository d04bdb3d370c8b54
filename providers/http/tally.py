"""How often each provider was asked by this process. In: each request. Out: the counts since the last look."""

from __future__ import annotations

from collections import Counter
from threading import Lock

_counts: Counter[str] = Counter()
_lock = Lock()


def count(provider: str) -> None:
    with _lock:
        _counts[provider] += 1


def taken() -> dict[str, int]:
    """The counts, which begin anew."""
    with _lock:
        counts = dict(_counts)
        _counts.clear()
    return counts
