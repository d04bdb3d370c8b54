"""A decision's sightings as people read them: what changed from run to run. Pure."""

from __future__ import annotations

from typing import Any


def told(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each run's sighting with what changed since the one before it."""
    told, before = [], None
    for one in history:
        told.append({**one, "what": difference(before, one)})
        before = one if not one["problem"] else before
    return told


def difference(before: dict[str, Any] | None, now: dict[str, Any]) -> tuple[str, str]:
    """A word and its tone."""
    if now["problem"]:
        return now["problem"], "idle"
    was, found = (before or {}).get("decision"), now["decision"]
    if found is None:
        return ("removed", "bad") if was else ("not there yet", "idle")
    if not found["recomputed"]:
        return "its content does not give its hash", "bad"
    if was is None:
        return "first seen", "ok"
    if was["unchanging_sha256"] != found["unchanging_sha256"]:
        return "edited", "bad"
    values = ("converted", "conversion_at", "conversion_value")
    if [was[name] for name in values] == [found[name] for name in values]:
        return "unchanged", "ok"
    return ("conversion changed", "bad") if was["converted"] else ("conversion set", "ok")
