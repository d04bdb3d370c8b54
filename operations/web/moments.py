"""Moments as people type them. In: text. Out: a whole second in UTC, or Refused with how it is written."""

from __future__ import annotations

from datetime import UTC, datetime

from providers.errors import Refused


def second(text: str) -> datetime:
    """The moment as a whole second in UTC. Raises Refused for another shape, or without a time zone."""
    try:
        at = datetime.fromisoformat(text.strip())
        in_utc = at.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise Refused(f"{text!r} is no time; write 2026-11-23T04:05:06Z. Nothing was requested.") from None
    if at.tzinfo is None:
        raise Refused(f"{text} names no time zone; write it with Z or an offset. Nothing was requested.")
    return in_utc
