"""`python -m bench.viewers [--scale 1.0] [--viewers 30] [--seconds 60] [--pause 5]`: many at once, and whole exports.

In: the rows of `bench.pages`. The web service runs as `bin/web` starts it, held to the memory of its plan. Out: what
people waited while each opens a page, looks at it for `--pause` seconds and opens the next; what an export of every
row added to the memory; exit 1 for a failed answer, a killed process or more than 60 MB.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlencode

import yaml

from bench.pages import prepared
from deployments.blueprint.rules.words import MEMORY_MB
from providers.memory import proportional_bytes
from providers.processes import kill_group, spawn
from tests.blueprint_platform import free_port
from tests.plan_limits import PlanLimit

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "t" * 32
EVERY_ROW = {"select_across": "1", "_selected_action": "1", "csrfmiddlewaretoken": TOKEN}
LONGEST_SECONDS, MOST_GROWTH_MB = 60, 60
EXPORTS: dict[str, tuple[str, str, dict[str, str] | None]] = {
    "timeline.csv": ("GET", "/admin/ledger/entry/export.csv", None),
    "timeline.json": ("GET", "/admin/ledger/entry/export.json", None),
    "deployments.csv": ("POST", "/admin/deployments/deployment/", {"action": "export_csv"}),
    "deployments.json": ("POST", "/admin/deployments/deployment/", {"action": "export_json"}),
}


@dataclass
class Web:
    """The service: its port, its first process, the plan's limit."""

    port: int
    pid: int
    plan_mb: int
    limit: PlanLimit
    peak: int = 0
    done: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self.done.wait(0.25):
            self.peak = max(self.peak, proportional_bytes(self.pid))


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.viewers", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--viewers", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, default=5)
    options = parser.parse_args()
    with prepared(options.scale), web() as service:
        return int(viewed(service, options) | exported(service))


@contextmanager
def web() -> Iterator[Web]:
    """As bin/web starts it, in the memory of the blueprint's plan."""
    services = yaml.safe_load((ROOT / "render.yaml").read_text())["services"]
    plan = MEMORY_MB[next(each for each in services if each["name"] == "sampelit-ops-web")["plan"]]
    limit, port = PlanLimit("bench-web", plan), free_port()
    environment = {**os.environ, "PORT": str(port), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    start = (ROOT / "bin" / "web").read_text().replace("0.0.0.0", "127.0.0.1")  # noqa: S104  a demo answers nobody else
    command = ["/bin/bash", "-c", limit.prefix + start]
    quiet = subprocess.DEVNULL
    process = spawn(command, env=environment, cwd=ROOT, stdout=quiet, stderr=quiet)
    limit.watched.append(process.pid)
    service = Web(port, process.pid, plan, limit)
    try:
        until = time.monotonic() + LONGEST_SECONDS
        while _asked(port, "GET", "/healthz", "")[0] != 200:
            if time.monotonic() > until or process.poll() is not None:
                raise SystemExit("The web service did not start.")
            time.sleep(0.3)
        threading.Thread(target=service.watch, daemon=True).start()
        yield service
    finally:
        service.done.set()
        kill_group(process, signal.SIGTERM, 30)
        limit.close()


def viewed(service: Web, options: argparse.Namespace) -> bool:
    """Everybody opens one page after another; whether anything went wrong."""
    from tests.browser.pages import pages

    urls = sorted({url for _, address in pages() if (url := address())})
    waited: list[tuple[float, str]] = []
    wrong: list[str] = []
    until = time.monotonic() + options.seconds

    def view(number: int) -> None:
        cookie, dice = _cookie(f"viewer{number}", "Viewer"), random.Random(number)  # noqa: S311
        time.sleep(dice.uniform(0, options.pause))
        while time.monotonic() < until:
            url = dice.choice(urls)
            status, _, seconds = _asked(service.port, "GET", url, cookie)
            waited.append((seconds, url))
            if status >= 500 or status == 0:
                wrong.append(f"{status} {url}")
            time.sleep(options.pause)

    people = [threading.Thread(target=view, args=(number,)) for number in range(options.viewers)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    cuts = quantiles([seconds for seconds, _ in waited], n=20)
    slowest, of = max(waited)
    killed = service.limit.kills()
    print(
        f"{options.viewers} viewers, {len(waited)} pages: median {cuts[9] * 1000:.0f} ms, p95 {cuts[18] * 1000:.0f} ms,"
        f" most {slowest * 1000:.0f} ms ({of}); {service.peak / 1e6:.0f} MB of {service.plan_mb} MB, {killed} killed,"
        f" {len(wrong)} failed; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    for line in sorted(set(wrong)):
        print(f"  {line}")
    return bool(wrong or killed)


def exported(service: Web) -> bool:
    """Everything there is, in each form; whether the memory grew by more than it may."""
    cookie, too_much = _cookie("exporter", "Auditor"), False
    for name, (method, url, asked) in EXPORTS.items():
        before, service.peak = proportional_bytes(service.pid), 0
        status, size, seconds = _asked(service.port, method, url, cookie, asked)
        time.sleep(0.3)
        grew = (service.peak - before) / 1e6
        late = "" if status == 200 and grew <= MOST_GROWTH_MB else "   TOO MUCH"
        too_much |= bool(late)
        print(f"{name}: {status}, {size / 1e6:.0f} MB in {seconds:.1f} s, {grew:+.0f} MB of memory{late}")
    return too_much or bool(service.limit.kills())


def _cookie(name: str, role: str) -> str:
    """A session of somebody with this role, and the token that forms ask for."""
    from django.conf import settings
    from django.contrib.auth.models import Group, User
    from django.db import connection
    from django.test import Client

    person, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    person.groups.set(Group.objects.filter(name=role))
    client = Client()
    client.force_login(person)
    connection.close()
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    return f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={TOKEN}"


def _asked(port: int, method: str, url: str, cookie: str, form: dict[str, str] | None = None) -> tuple[int, int, float]:
    """Status (0: no answer), bytes, seconds to the last of them."""
    body = urlencode({**(form or {}), **EVERY_ROW, "form_key": _form_key(port, url, cookie)}) if form else None
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    began, size = time.perf_counter(), 0
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_SECONDS * 5)
    try:
        client.request(method, url, body, headers)
        answer = client.getresponse()
        while piece := answer.read(1 << 16):
            size += len(piece)
        return answer.status, size, time.perf_counter() - began
    except (OSError, http.client.HTTPException):
        return 0, size, time.perf_counter() - began
    finally:
        client.close()


def _form_key(port: int, url: str, cookie: str) -> str:
    """That of the page's form, which counts once."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_SECONDS)
    client.request("GET", url, headers={"Cookie": cookie})
    found = re.search(rb'name="form_key" value="([^"]+)"', client.getresponse().read())
    client.close()
    return found[1].decode() if found else ""


if __name__ == "__main__":
    sys.exit(main())
