"""`make soak`: every counted suite at its whole size, one after the other, each told in docs/reliability.md.

In: files of tests (all that ask `tests.sampling` without one), OPS_TEST_SEED. Out: a line per suite in the table, in
place of its earlier one of that size; exit status 1 if one failed. A suite that passed at this commit is not run
again, so a soak that was stopped goes on. MINUTES=20 walks shares instead, each of a seed of its own, one of each
suite in turn until the time is over; the next such soak begins with the suites whose turn did not come.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests import sampling

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reliability.md"
HANG_SECONDS = 3_600
_ASKS = re.compile(
    r"\bsampling\.(?:WHOLE|size|chosen|share|turns)\b|^from tests\.sampling import|^@pytest\.mark\.sampled\(", re.M
)
_NAME = re.compile(r"\bsize\(\"(\w+)\"\)")
_COUNTS = re.compile(r"^=+ (.*?) in [\d.:]+s.* =+$", re.M)


def suites() -> dict[Path, str]:
    """The files of tests that ask how much to walk, themselves or through cases, and what they walk."""
    texts = {path: path.read_text() for path in (ROOT / "tests").rglob("*.py")}
    asking = {path: text for path, text in texts.items() if _ASKS.search(text)}
    cases = {path.stem: text for path, text in asking.items() if not path.name.startswith("test_")}
    walked = {}
    for path in sorted(path for path in texts if path.name.startswith("test_")):
        text = texts[path]
        borrowed = [case for stem, case in cases.items() if re.search(rf"\b{stem}\b.* import|import .*\b{stem}$", text)]
        if path in asking or borrowed:
            walked[path] = sizes("\n".join([text, *borrowed]))
    return walked


def sizes(text: str) -> str:
    """The counts that a soak walks, as the source asks for them."""
    names = dict.fromkeys(_NAME.findall(text))
    return ", ".join(f"{_size(name):,} {name.lower().replace('_', ' ')}" for name in names) or "every case"


def _size(name: str) -> int:
    return int(os.environ.get(f"OPS_TEST_{name}") or sampling.SIZES[name][1])


def main(given: list[str]) -> int:
    """Run what did not pass at this commit yet; returns the exit status."""
    commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True).strip()
    wanted = {Path(name).resolve() for name in given}
    chosen = {
        suite.relative_to(ROOT).as_posix(): walked
        for suite, walked in suites().items()
        if not wanted or suite in wanted
    }
    if minutes := os.environ.get("MINUTES"):
        return _shares(list(chosen), commit, float(minutes))
    failed = 0
    for place, walked in chosen.items():
        if any(
            line.startswith(f"| `{place}` | {walked} |") and f"| {commit} |" in line and "failed" not in line
            for line in _lines()
        ):
            continue
        status, told, took = _run(place, {"SOAK": "1"})
        failed += status != 0
        _note(f"| `{place}` | {walked} | ", told, took, commit)
    return 1 if failed else 0


def _shares(places: list[str], commit: str, minutes: float) -> int:
    """A share of each suite, those first that waited longest, then one of the next seed, until the time is over."""
    until = time.monotonic() + 60 * minutes
    lines = _lines()
    last = {
        place: max((n for n, line in enumerate(lines) if line.startswith(f"| `{place}` | a share")), default=0)
        for place in places
    }
    seed, failed = int(os.environ.get("OPS_TEST_SEED") or time.time() // 60), 0
    for turn in range(10_000):
        for place in sorted(places, key=last.__getitem__):
            if time.monotonic() > until:
                return 1 if failed else 0
            status, told, took = _run(place, {"OPS_TEST_SEED": str(seed + turn)})
            failed += status != 0
            about = f"| `{place}` | a share that failed, seed {seed + turn} | " if status else _shared(place)
            _note(about, f"{told} (seed {seed + turn})", took, commit)
    return 1 if failed else 0


def _shared(place: str) -> str:
    return f"| `{place}` | a share | "


def _note(suite: str, told: str, took: float, commit: str) -> None:
    day, machine = datetime.now(UTC).date(), f"{os.cpu_count()} cores, {platform.python_version()}"
    PAGE.write_text(noted(PAGE.read_text(), suite, f"{told} | {took:.0f} s | {day} | {commit} | {machine} |"))


def noted(page: str, suite: str, about: str) -> str:
    """The page with this suite's line as its table's last."""
    lines = [line for line in page.splitlines() if not line.startswith(suite)]
    last = max(number for number, line in enumerate(lines) if line.startswith("|"))
    return "\n".join([*lines[: last + 1], suite + about, *lines[last + 1 :], ""])


def _lines() -> list[str]:
    return PAGE.read_text().splitlines()


def _run(place: str, given: dict[str, str]) -> tuple[int, str, float]:
    """The exit status, pytest's own counts, the seconds. `given`: how much to walk, as variables."""
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-n",
        "2",
        "--dist",
        "loadgroup",
        "-o",
        f"faulthandler_timeout={HANG_SECONDS}",
        place,
    ]
    began = time.monotonic()
    environment = {**os.environ, **given}
    run = subprocess.run(argv, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    sys.stdout.write(run.stdout)
    counts = _COUNTS.findall(run.stdout)
    return run.returncode, counts[-1] if counts else f"failed: exit {run.returncode}", time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
