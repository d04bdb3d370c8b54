"""One mechanism says how much a counted suite walks, it reaches the suites, and a test that hangs ends."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import portal_database, sampling, soak

ROOT = Path(__file__).resolve().parent


def test_only_sampling_reads_the_variables() -> None:
    reads = re.compile(r"(?:environ|getenv)\W[^\n]*(?:SOAK|OPS_TEST_)")
    readers = {path.name for path in ROOT.rglob("*.py") if reads.search(path.read_text())}

    assert readers == {"sampling.py", "soak.py", "test_sampling.py"}


def test_a_test_run_keeps_the_variables() -> None:
    variables = ["SOAK", *(f"OPS_TEST_{name}" for name in ("SEED", "PARTS", "TURN", *sampling.SIZES))]

    assert [
        v for v in variables if v.startswith(portal_database.OUTSIDE) and not v.startswith(portal_database.KEPT)
    ] == []


def test_every_size_is_asked_for_by_a_suite_of_the_soak() -> None:
    walked = "\n".join(soak.suites().values())

    assert [name for name in sampling.SIZES if f" {name.lower().replace('_', ' ')}" not in walked] == []


@pytest.mark.parametrize(("variable", "size"), [("OPS_TEST_NOTHING", 2), ("SOAK", 500), ("OPS_TEST_WALKS", 1)])
def test_a_size(variable: str, size: int) -> None:
    code = "from tests import sampling; print(sampling.size('WALKS'))"
    environment = {"PATH": "", variable: "1"}

    said = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT.parent, env=environment, text=True)

    assert int(said) == size


def test_a_test_that_hangs_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_hangs.py").write_text("import threading\ndef test_it(): threading.Event().wait()\n")
    (tmp_path / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\n"
        + "".join(
            line + "\n" for line in (ROOT.parent / "pyproject.toml").read_text().splitlines() if "handler" in line
        )
    )
    argv = [sys.executable, "-m", "pytest", "-p", "no:django", "-o", "faulthandler_timeout=0.5", "test_hangs.py"]

    run = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert run.returncode == 1
    assert "Timeout" in run.stderr


@pytest.mark.parametrize(("count", "parts"), [(1, 5), (3, 8), (7, 7), (100, 6), (1_000, 13)])
def test_shares_are_never_empty_and_so_many_seeds_take_everything(
    count: int, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"case {number}" for number in range(count)]
    monkeypatch.setattr(sampling, "WHOLE", False)
    shares, turns = [], []
    for seed in range(20_261_123, 20_261_123 + parts):
        monkeypatch.setattr(sampling, "SEED", seed)
        shares.append(sampling.share(names, parts))
        turns.append(sampling.turns(count, parts))

    assert all(0 < len(each) <= count // min(count, parts) + 1 for each in (*shares, *turns))
    assert {name for each in shares for name in each} == set(names)
    assert {number for each in turns for number in each} == set(range(count))


def test_a_soak_takes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "WHOLE", True)

    assert sorted(sampling.share(["a", "b", "c"], 3)) == ["a", "b", "c"]
    assert list(sampling.turns(3, 3)) == [0, 1, 2]


def test_every_sampled_table_is_a_suite_of_the_soak() -> None:
    mark = re.compile(r"^@pytest\.mark\.sampled\(", re.M)
    marked = {path for path in ROOT.rglob("test_*.py") if mark.search(path.read_text())}

    assert marked
    assert marked - set(soak.suites()) == set()


def test_a_soak_notes_a_suite_in_the_table_in_place_of_its_earlier_line() -> None:
    above = "above\n\n| suite | walked | result |\n|---|---|---|\n"
    kept = "| `a.py` | 9 walks | kept |\n"
    page = f"{above}| `a.py` | 2 walks | old |\n{kept}\nbelow\n"

    noted = soak.noted(page, "| `a.py` | 2 walks | ", "new |")

    assert noted == f"{above}{kept}| `a.py` | 2 walks | new |\n\nbelow\n"


def test_a_soak_of_minutes_takes_a_share_of_each_in_turn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ten minutes of shares that take four each: what had no turn is first in the next."""
    clock, ran = [0.0], []

    def run(place: str, given: dict[str, str]) -> tuple[int, str, float]:
        clock[0] += 240
        ran.append((Path(place).name, "SOAK" in given, given["OPS_TEST_SEED"]))
        failed = len(ran) == 2
        return int(failed), "1 failed" if failed else "1 passed", 240.0

    page = tmp_path / "reliability.md"
    page.write_text("| suite | walked | result |\n|---|---|---|\n| `tests/a.py` | every case | 9 passed |\n")
    monkeypatch.setattr(soak, "PAGE", page)
    monkeypatch.setattr(soak, "_run", run)
    monkeypatch.setattr(soak, "suites", lambda: {ROOT / f"{name}.py": "every case" for name in "abcde"})
    monkeypatch.setattr(soak.time, "monotonic", lambda: clock[0])
    monkeypatch.setenv("MINUTES", "10")
    monkeypatch.setenv("OPS_TEST_SEED", "7")

    assert [soak.main([]), soak.main([])] == [1, 0]

    assert [name for name, _, _ in ran] == ["a.py", "b.py", "c.py", "d.py", "e.py", "a.py"]
    assert {(whole, seed) for _, whole, seed in ran} == {(False, "7")}
    assert "| `tests/a.py` | every case | 9 passed |" in page.read_text()
    assert "| `tests/e.py` | a share | 1 passed (seed 7) | 240 s |" in page.read_text()
    assert "| `tests/b.py` | a share that failed, seed 7 | 1 failed (seed 7) |" in page.read_text()
    monkeypatch.delenv("MINUTES")
    ran.clear()
    monkeypatch.setattr(soak, "_run", lambda place, given: ran.append(Path(place).name) or (0, "9 passed", 1.0))
    soak.main([])
    assert ran == ["a.py", "b.py", "c.py", "d.py", "e.py"]  # a share is no whole size
