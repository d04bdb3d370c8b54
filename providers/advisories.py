"""What is publicly known against versions in use: OSV for packages, endoflife.date for Python itself.

In: names and versions. Out: what has a known fix, or ProviderError where nobody could be asked. Nothing but names and
versions leaves; every answer is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import requests

from providers import bounded_json
from providers.errors import ProviderError
from providers.http.deadline import within
from providers.http.transport import exchange, new_session

OSV = "https://api.osv.dev/v1"  # google.github.io/osv.dev/api: querybatch, vulns
PYTHON = "https://endoflife.date/api/python"  # endoflife.date/docs/api
MOST_BYTES = 2 * 1024 * 1024
MOST_ADVISORIES = 30
SECONDS = 60.0  # for all answers, connect to last byte
OVER = "1970-01-01"


def holes(installed: Mapping[str, str]) -> list[dict[str, str]]:
    """Package, version, advisory and the version that mends it ("" where none does yet), for each known one.

    Raises ProviderError where not every package was answered for, or not within SECONDS."""
    try:
        with within(SECONDS):
            return _holes(installed)
    except OSError:
        raise ProviderError(f"{OSV} took too long. Nothing was changed.", True) from None


def _holes(installed: Mapping[str, str]) -> list[dict[str, str]]:
    queries = [
        {"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in installed.items()
    ]
    results = _asked("POST", f"{OSV}/querybatch", {"queries": queries}).get("results")
    try:
        return _told(installed, results)
    except (TypeError, AttributeError, ValueError):
        raise ProviderError(f"{OSV} answered in another shape. Nothing was changed.", True) from None


def _told(installed: Mapping[str, str], results: Any) -> list[dict[str, str]]:
    found = [
        (name, version, str(vulnerability.get("id", "")))
        for (name, version), result in zip(installed.items(), results, strict=True)
        for vulnerability in result.get("vulns", [])
    ]
    return [
        {"package": name, "version": version, "advisory": advisory, "fixed": _fix(name, version, advisory)}
        for name, version, advisory in found[:MOST_ADVISORIES]
    ]


def newest_python(series: str) -> tuple[str, str]:
    """The newest patch release of a series (3.11), and the day from which it gets no fixes any more (ISO; "" where
    none is told, and some day long ago where it is over)."""
    facts = _asked("GET", f"{PYTHON}/{series}.json")
    latest, ends = facts.get("latest"), facts.get("eol")
    if not isinstance(latest, str) or not re.fullmatch(r"\d+(\.\d+){1,3}", latest):
        raise ProviderError("The list of Python's releases could not be read. Nothing was changed.", True)
    if ends is not None and not isinstance(ends, bool | str):
        raise ProviderError("The end of Python's releases could not be read. Nothing was changed.", True)
    return latest, OVER if ends is True else ends or ""


def newer(one: str, other: str) -> bool:
    """Whether a release number is above another; a pre-release counts as its release."""
    return _numbers(one) > _numbers(other)


def _fix(name: str, version: str, advisory: str) -> str:
    """The lowest version above ours in which the advisory says it is mended."""
    if not re.fullmatch(r"[A-Za-z0-9-]{3,60}", advisory):
        return ""
    said = _asked("GET", f"{OSV}/vulns/{advisory}")
    events = [
        event.get("fixed", "")
        for affected in said.get("affected", [])
        if str(affected.get("package", {}).get("name", "")).lower() == name.lower()
        for ranged in affected.get("ranges", [])
        for event in ranged.get("events", [])
        if ranged.get("type") == "ECOSYSTEM"
    ]
    above = [fixed for fixed in events if fixed and newer(fixed, version)]
    return min(above, key=_numbers, default="")


def _numbers(version: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d{1,9}", version.partition("+")[0])[:6]]


def _asked(method: str, url: str, body: object = None) -> dict[str, Any]:
    try:
        with new_session() as session:
            answer, content = exchange(session, method, url, seconds=SECONDS, most_bytes=MOST_BYTES, json=body)
        readable = answer.status_code == 200 and len(content) <= MOST_BYTES
        value = bounded_json.loads(content) if readable else None
    except (requests.RequestException, OSError, ValueError) as error:
        raise ProviderError(f"{url} could not be asked ({type(error).__name__}). Nothing was changed.", True) from None
    if answer.status_code != 200:
        raise ProviderError(f"{url} answered {answer.status_code}. Nothing was changed.", True)
    if not isinstance(value, dict):
        raise ProviderError(f"{url} did not answer with an object. Nothing was changed.", True)
    return value
