"""Healthy or not, from status and body: Sampelit answers 200 while degraded, so the code alone is not enough.

Pure: takes and returns values.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

GOOD_WORDS = {"healthy", "ok", "pass", "up", "passing", "alive"}
GOOD_DATABASE = {"connected", "ok", "healthy", "up", ""}


@dataclass(frozen=True)
class Verdict:
    healthy: bool
    body_status: str = ""
    version: str = ""
    detail: str = ""


def judge(status: int | None, body: bytes, error: str = "") -> Verdict:
    """The verdict on one answer. A JSON body with a `status` must say so in a word that we know as good."""
    if error or status is None:
        return Verdict(False, detail=error or "no answer")
    parsed = _object(body)
    word = str(parsed.get("status", ""))[:60]
    version = str(parsed.get("version") or "")[:100]
    if not 200 <= status < 300:
        return Verdict(False, word, version, f"HTTP {status}" + (f", {word}" if word else ""))
    if word and word.lower() not in GOOD_WORDS:
        return Verdict(False, word, version, f"HTTP {status}, but the body says {word}")
    database = str(parsed.get("database") or "").lower()
    if database not in GOOD_DATABASE:
        return Verdict(False, word, version, f"HTTP {status}, but the database is {database[:60]}")
    return Verdict(True, word, version, f"HTTP {status}" + (f", {word}" if word else ""))


def _object(body: bytes) -> dict[str, object]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
