"""Interleaved rounds and medians; chain speed and peak memory. In: functions that answer Took. Out: plain results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.data import TABLE
from bench.ours import Took
from providers import postgres
from providers.processes import FRUGAL

Case = Callable[[], Took]


@dataclass
class Ratio:
    """`ratio` = the peer's time divided by ours, from medians; parts are medians too, where a side tells them."""

    ratio: float
    ours: float
    peer: float
    rounds: int
    ours_bytes: int
    peer_bytes: int
    ours_cpu: float
    peer_cpu: float
    ours_parts: dict[str, float] = field(default_factory=dict)
    peer_parts: dict[str, float] = field(default_factory=dict)


def interleaved(ours: Case, peer: Case, rounds: int) -> Ratio:
    """One warm-up of both, then ours and peer in turn; every second round the other way round."""
    ours(), peer()
    mine: list[Took] = []
    theirs: list[Took] = []
    for number in range(rounds):
        for case, times in [(ours, mine), (peer, theirs)][:: 1 if number % 2 == 0 else -1]:
            times.append(case())
    our_time, peer_time = median(t.seconds for t in mine), median(t.seconds for t in theirs)
    return Ratio(
        ratio=round(peer_time / our_time, 2),
        ours=round(our_time, 3),
        peer=round(peer_time, 3),
        rounds=rounds,
        ours_bytes=mine[-1].stored_bytes,
        peer_bytes=theirs[-1].stored_bytes,
        ours_cpu=round(median(t.cpu for t in mine), 3),
        peer_cpu=round(median(t.cpu for t in theirs), 3),
        ours_parts=_parts(mine),
        peer_parts=_parts(theirs),
    )


def _parts(rounds: Sequence[Took]) -> dict[str, float]:
    return {part: round(median(took.parts.get(part, 0) for took in rounds), 2) for part in rounds[-1].parts}


def chain_rows_per_second(dsn: str, rows: int, rounds: int) -> dict[str, Any]:
    """Every hash and link of the table recomputed in SQL with the real preimage."""
    speeds = []
    with postgres.connect(dsn) as connection:
        for _ in range(rounds):
            began = time.monotonic()
            problems = postgres.chain_problems(connection, ("public", TABLE))
            if problems:
                raise RuntimeError(f"the benchmark's chain is broken: {problems[0]}")
            speeds.append(rows / (time.monotonic() - began))
    return {"value": round(median(speeds)), "rounds": rounds, "rows": rows}


def peak_memory(dsn: str, directory: Path, connections: int) -> dict[str, Any]:
    """The peak of an export's process tree above the same process when idle, started as a worker is; in 10**6 bytes."""
    argv = [sys.executable, "-m", "bench.memory", str(directory), str(connections)]
    answer = subprocess.run(argv, input=dsn, text=True, capture_output=True, check=True, env={**os.environ, **FRUGAL})
    return dict(json.loads(answer.stdout))


def as_json(results: Mapping[str, Ratio | dict[str, Any]]) -> dict[str, Any]:
    return {name: asdict(result) if isinstance(result, Ratio) else result for name, result in results.items()}


def command_line(rounds: int) -> dict[str, Any]:
    """Seconds of one call that needs no worker, from start to end: `sampelit-ops kinds`, without the database."""
    argv = [sys.executable, "-m", "sampelit_ops.command_line", "kinds", "--json"]
    away = {**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nowhere"}
    walls, before = [], os.times()
    for _ in range(rounds + 1):  # the first one writes byte code
        began = time.monotonic()
        subprocess.run(argv, env=away, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        walls.append(time.monotonic() - began)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return {"value": round(median(walls[1:]), 2), "cpu": round(used / (rounds + 1), 2), "rounds": rounds}
