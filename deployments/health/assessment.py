"""What one answer of a health address says: good, bad, or nothing that could be judged. Pure.

In: the answer. Out: a verdict with its sentence. Only a word that we know as good is good, and only one that we know as
bad is bad: any other, what is cut, too long, empty, unreadable or a page for people is unclear, never healthy and never
a reason to act.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployments.models.health import HealthCheck
from providers import bounded_json
from providers.bounded_json import storable
from providers.counting import counted
from providers.http.health_probe import HealthResponse

Verdict = HealthCheck.Verdict
GOOD_WORDS = {"healthy", "ok", "pass", "up", "passing", "alive"}
GOOD_DATABASE = {"connected", "ok", "healthy", "up", "true"}
FLAGS = ("healthy", "ok", "alive", "up")
NO = {"false", "no", "0", "down", "off"}
_BAD = """bad broken crashed critical dead degraded disconnected error errored fail failed failing failure fatal ko
    major major_outage not_serving out_of_service outage partial_outage timeout unavailable unhealthy unreachable"""
BAD_WORDS = {*_BAD.split(), "not ok", *NO}
TURNED_AWAY = {401, 403, 405, 407, 429, 451}  # whoever asks, by a rule that says nothing of the service
_COMMIT = re.compile(r"(?<![0-9a-z])(?=[0-9]*[a-f])[0-9a-f]{7,64}(?![0-9a-z])")  # no date, no number


@dataclass(frozen=True)
class HealthAssessment:
    verdict: Verdict
    detail: str = ""
    body_status: str = ""
    version: str = ""

    @property
    def healthy(self) -> bool:
        return self.verdict == Verdict.GOOD


def assess(answer: HealthResponse) -> HealthAssessment:
    """The verdict on one answer."""
    if answer.error or answer.status is None:
        return HealthAssessment(Verdict.SILENT, answer.error or "no answer")
    parsed = _parsed(answer.body)
    said = parsed if isinstance(parsed, Mapping) else {}
    version, word = _short(said.get("version") or "", 100), _word(said, parsed)
    http = f"HTTP {answer.status}"
    if answer.cached_seconds:
        age = counted(answer.cached_seconds, "second")
        return HealthAssessment(Verdict.UNCLEAR, f"{http} of a cache, {age} old: it may be down behind it")
    if not 200 <= answer.status < 300:
        if answer.status < 400 or answer.status in TURNED_AWAY:
            asked = "leads elsewhere" if answer.status < 400 else "turns the portal away"
            return HealthAssessment(Verdict.UNCLEAR, f"{http}: it {asked} and does not say how it is", word, version)
        return HealthAssessment(Verdict.BAD, http + (f", {word}" if word else ""), word, version)
    if answer.unread:
        return HealthAssessment(Verdict.UNCLEAR, f"{http}, but {answer.unread}")
    verdict, detail = _judged(answer, said, word)
    return HealthAssessment(verdict, f"{http}{detail}", word, version)


def _judged(answer: HealthResponse, said: Mapping[str, Any], word: str) -> tuple[Verdict, str]:
    """Of a whole answer that succeeded."""
    database = _short(said.get("database") or "", 60) if said.get("database") is not False else "false"
    if said and word.lower() in BAD_WORDS:
        return Verdict.BAD, f", but the body says {word}"
    if any(str(said[flag]).strip().lower() in NO for flag in FLAGS if flag in said):
        return Verdict.BAD, ", but the body says that it is not"
    if database.lower() in BAD_WORDS:
        return Verdict.BAD, f", but the database is {database}"
    if said and word and word.lower() not in GOOD_WORDS:
        return Verdict.UNCLEAR, f", but the body says {word}, which may mean either"
    if database and database.lower() not in GOOD_DATABASE:
        return Verdict.UNCLEAR, f", but the database is {database}, which may mean either"
    if word.lower() in GOOD_WORDS:
        return Verdict.GOOD, f", {word}"
    if answer.status == 204 or database or any(said.get(flag) is True for flag in FLAGS):
        return Verdict.GOOD, ""
    return Verdict.UNCLEAR, ', but the body does not say how it is; let it answer {"status": "ok"}'


def _word(said: Mapping[str, Any], parsed: object) -> str:
    """The word about health: of `status` in an object, or the whole body where it is one word."""
    word = said.get("status") if said else parsed
    if isinstance(word, bool):
        return "ok" if word else "not ok"
    return _short(word, 60) if isinstance(word, str) else ""


def other_commit(version: str, released: str) -> str:
    """The commit that a version names, however it is written around it, where it is not the one that was released."""
    named = _COMMIT.findall(version.lower())
    here = not released or any(released.startswith(commit) for commit in named)
    return "" if here or not named else str(named[0])


def _parsed(body: bytes) -> object:
    """JSON, else the text where it is one short word; None for anything else."""
    try:
        return bounded_json.loads(body)
    except (ValueError, RecursionError):
        text = body[:61].decode("utf-8", "replace").strip()
        return text if text.isalpha() and len(body) <= 60 else None


def _short(value: object, most: int) -> str:
    return storable(str(value))[:most]
