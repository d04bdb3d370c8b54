"""SQL files judged by us and by squawk: the same files, each told to print the same way, all cores.

In: a directory, rounds. Out: cases; the bytes are what was printed, the processor seconds are the whole command's.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.measures import Ratio, interleaved
from bench.ours import Took, cpu_seconds
from migrations_registry.analysis import rules  # noqa: F401  enlists the catalogue
from migrations_registry.analysis.rule_registry import CATALOGUE

FILES, MOST = 10_000, 12  # files, statements' samples in one
KEYS = ("analysis_vs_squawk", "analysis_vs_squawk_as_text", "analysis_of_one_file_vs_squawk")
OURS = [sys.executable, "-m", "migrations_registry.analysis"]
SQUAWK = [str(Path(sys.executable).with_name("squawk"))]
_NAMES = re.compile(r"\b(orders|customers|lines|events|x|y)\b")


def cases(work: Path, rounds: int) -> dict[str, Callable[[], Ratio]]:
    """10,000 files printed as JSON, as each prints by itself, and one file."""
    paths = _written(work)

    def against(ours: list[str], peer: list[str], files: list[str]) -> Callable[[], Ratio]:
        return lambda: interleaved(lambda: _judged(ours + files, work), lambda: _judged(peer + files, work), rounds)

    as_json = [*OURS, "--format", "json"], [*SQUAWK, "--reporter", "json"]
    return dict(
        zip(KEYS, (against(*as_json, paths), against(OURS, SQUAWK, paths), against(*as_json, paths[:1])), strict=True)
    )


def _written(work: Path) -> list[str]:
    """Files of one to twelve of the catalogue's samples, with names that no other file has."""
    chosen = random.Random(17)  # noqa: S311 - the same files in every run
    known = [row for name, row in CATALOGUE.items() if not name.startswith("MP-")]  # what is no SQL is no peer's work
    texts = [text.strip().rstrip(";") for row in known for text in (*row.bad, *row.good)]
    paths = []
    for number in range(FILES):
        text = ";\n\n".join(chosen.choices(texts, k=chosen.randint(1, MOST)))
        path = work / f"{number:05}.sql"
        path.write_text(_NAMES.sub(rf"\g<1>_{number}", text) + ";\n")
        paths.append(str(path))
    return paths


def _judged(argv: list[str], work: Path) -> Took:
    """One command from start to end. Findings leave with 1 or 2; anything else is no result."""
    began, cpu = time.monotonic(), cpu_seconds()
    with (work / "printed").open("wb") as printed:
        code = subprocess.run(argv, stdout=printed, stderr=subprocess.DEVNULL, check=False).returncode
    seconds, used = time.monotonic() - began, cpu_seconds() - cpu
    if code not in (0, 1, 2):
        raise RuntimeError(f"{argv[:4]} left with {code}: nothing was measured")
    return Took(seconds, (work / "printed").stat().st_size, used)
