"""The doctor tells which running versions have a known fix, from what was asked once a day; offline it says so."""

from __future__ import annotations

import json
import platform
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.utils import timezone

from operations import doctor
from operations.doctor import advisories as watch
from operations.models import Heartbeat
from providers import advisories

pytestmark = pytest.mark.django_db
DJANGO = watch.installed()["django"]
HOLE = {
    "id": "GHSA-1",
    "affected": [
        {"package": {"name": "Django"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "4.2.1"}]}]},
        {"package": {"name": "Django"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "99.1"}]}]},
        {"package": {"name": "Django"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "98.2"}]}]},
        {"package": {"name": "other"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "6.0"}]}]},
        {"package": {"name": "Django"}, "ranges": [{"type": "GIT", "events": [{"fixed": "7.0"}]}]},
    ],
}


class Outside:
    """OSV and endoflife.date: what they say, and what they were asked."""

    def __init__(self) -> None:
        self.holed: dict[str, list[str]] = {}
        self.python: Any = {"latest": platform.python_version(), "eol": "2099-01-01"}
        self.vulnerability: Any = HOLE
        self.raw: bytes | None = None
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.say(outer.python if "/python/" in self.path else outer.vulnerability)

            def do_POST(self) -> None:
                queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
                names = [query["package"]["name"] for query in queries]
                outer.asked.extend(names)
                self.say({"results": [{"vulns": [{"id": each} for each in outer.holed.get(n, [])]} for n in names]})

            def say(self, value: Any) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(value).encode() if outer.raw is None else outer.raw)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Outside]:
    made, settings.OPS_ADVISORIES = Outside(), True
    base = f"http://127.0.0.1:{made.server.server_address[1]}"
    monkeypatch.setattr(advisories, "OSV", base)
    monkeypatch.setattr(advisories, "PYTHON", f"{base}/python")
    yield made
    made.server.shutdown()
    made.server.server_close()


def told() -> dict[str, tuple[str, str]]:
    return {check.name: (check.tone, check.found) for check in doctor.run(only="known_fixes")}


def test_nothing_known_is_green_and_every_installed_pin_was_asked(outside: Outside) -> None:
    watch.look()

    assert {tone for tone, _ in told().values()} == {"ok"}
    assert outside.asked == list(watch.installed())
    assert {"django", "cryptography", "requests"} <= set(outside.asked)


def test_a_hole_with_a_fix_is_red_with_the_next_version_that_mends_it(outside: Outside) -> None:
    outside.holed["django"] = ["GHSA-1"]

    watch.look()

    assert told()["known vulnerabilities"] == ("bad", f"django {DJANGO}: GHSA-1, fixed in 98.2")


def test_a_hole_without_a_fix_is_amber(outside: Outside) -> None:
    outside.holed["django"], outside.vulnerability = ["GHSA-1"], {"affected": []}

    watch.look()

    assert told()["known vulnerabilities"] == ("warn", f"django {DJANGO}: GHSA-1, no fix yet")


def test_a_package_that_was_updated_since_is_not_known_to_be_well(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside.holed["django"] = ["GHSA-1"]
    watch.look()
    monkeypatch.setattr(watch, "installed", lambda: {"django": "98.2"})

    assert told()["known vulnerabilities"] == ("idle", "not asked about yet: django 98.2")

    outside.holed = {}
    watch.look()

    assert told()["known vulnerabilities"][0] == "ok"


def test_another_update_hides_no_hole(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    outside.holed["django"] = ["GHSA-1"]
    monkeypatch.setattr(watch, "installed", lambda: {"django": DJANGO, "requests": "1"})
    watch.look()
    monkeypatch.setattr(watch, "installed", lambda: {"django": DJANGO, "requests": "2"})

    tone, found = told()["known vulnerabilities"]

    assert tone == "bad"
    assert found.endswith("fixed in 98.2; not asked about yet: requests 2")


@pytest.mark.parametrize(
    ("latest", "eol", "tone"),
    [
        ("3.99.1", False, "warn"),
        ("3.99.1", True, "bad"),
        ("3.0.1", "2099-01-01", "ok"),
        ("3.0.1", True, "bad"),
        ("3.0.1", "2024-10-07", "bad"),
        ("3.0.1", None, "ok"),
    ],
)
def test_an_older_patch_release_or_a_dead_series_is_told(outside: Outside, latest: str, eol: Any, tone: str) -> None:
    outside.python = {"latest": latest, "eol": eol}

    watch.look()

    assert told()["Python"][0] == tone


NO_LISTS = [b'{"results": null}', b'{"results": [{}]}', b'{"results": [' + b"null," * 99 + b"null]}"]


@pytest.mark.parametrize(
    "raw",
    [b"", b"<html>", b"[]", b"null", b"[" * 9_000, b" " * 3_000_000, b"\xff", *NO_LISTS],
    ids=range(10),
)
def test_what_is_no_answer_is_not_checked(outside: Outside, raw: bytes) -> None:
    outside.raw = raw

    watch.look()

    tone, found = told()["known vulnerabilities"]
    assert (tone, found.startswith("not checked")) == ("idle", True)


def test_offline_it_says_not_checked_and_keeps_the_last_answer_for_three_days(outside: Outside) -> None:
    outside.holed["django"] = ["GHSA-1"]
    watch.look()
    outside.server.shutdown()
    outside.server.server_close()

    watch.look()
    assert told()["known vulnerabilities"][0] == "bad"
    Heartbeat.objects.filter(name="advisories").update(beat_at=timezone.now() - watch.STALE)

    tone, found = told()["known vulnerabilities"]
    assert tone == "bad"
    assert f"django {DJANGO}: GHSA-1, fixed in 98.2; not checked since " in found
    assert "could not be asked" in found
    Heartbeat.objects.filter(name="advisories").update(detail={"holes": [], "asked": watch.installed()})
    assert told()["known vulnerabilities"][0] == "idle"


def test_switched_off_nobody_is_asked(outside: Outside, settings: Any) -> None:
    settings.OPS_ADVISORIES = False

    watch.look()

    assert (outside.asked, told()["known vulnerabilities"]) == ([], ("idle", "not checked. OPS_ADVISORIES is off."))


NUMBERS = [
    ("3.11.10", "3.11.9", True),
    ("3.11.9", "3.11.10", False),
    ("10.0", "9.9.9", True),
    ("5.2", "5.2", False),
    ("1.2.3+cpu", "1.2.3", False),
    ("", "1", False),
    ("x", "y", False),
]


@pytest.mark.parametrize(("one", "other", "is_newer"), NUMBERS)
def test_release_numbers_are_compared_as_numbers(one: str, other: str, is_newer: bool) -> None:
    assert advisories.newer(one, other) is is_newer
