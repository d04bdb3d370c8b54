"""How much a run walks: a seeded part of a counted suite in `make test`, all of it in a soak (SOAK=1).

Out: WHOLE, the seed (OPS_TEST_SEED), the size of a suite by name (OPS_TEST_<name> says another), whether a case is one
of this run's, and this run's share of a table. PARTS and TURN: of the slow tests `make test` takes one in PARTS, and
as many days in a row all of them; the pipeline takes all each time (OPS_TEST_PARTS=1).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from zlib import crc32

WHOLE = bool(os.environ.get("SOAK"))
SEED = int(os.environ.get("OPS_TEST_SEED", "20261123"))
PARTS = 1 if WHOLE else int(os.environ.get("OPS_TEST_PARTS", "4"))
TURN = int(os.environ.get("OPS_TEST_TURN") or datetime.now(UTC).toordinal())
SIZES = {  # with the tests, in a soak
    "AUTHORITY_WALKS": (16, 10_000),
    "BACKFILL_KILLS": (2, 20),
    "BACKFILL_ROWS": (20_000, 5_000_000),
    "BLUEPRINT_HOURS": (1, 24),
    "CONVERSIONS": (16, 10_000),
    "DAYS": (8, 365),
    "EVIDENCE_WALKS": (120, 4_000),
    "FAILPOINTS": (3, 150),
    "FAULTS": (3, 100),
    "FAULT_WALKS": (10, 1_500),
    "FORGERIES": (3, 1_000),
    "HISTORIES": (20, 2_000),
    "HOSTILE_TEXTS": (60, 5_000),
    "KEEPS": (5, 200),
    "KILLS": (2, 200),
    "LEDGER_FORGERIES": (16, 800),
    "LOCK_PAIRS": (20, 10_000),
    "MANIPULATIONS": (24, 500),
    "MIGRATION_HISTORIES": (3, 2_000),
    "NONSENSE_HOURS": (1, 24),
    "PATH_FAILPOINTS": (2, 312),
    "RENDER_HISTORIES": (12, 5_000),
    "RETENTION_HISTORIES": (60, 3_000),
    "STEPS": (10, 200),
    "UNDONE": (10, 300),
    "VOTE_RACES": (3, 100),
    "WALKS": (2, 500),
}


def given(name: str) -> str:
    """What somebody says under OPS_TEST_<name>, such as a place; empty where nobody does."""
    return os.environ.get(f"OPS_TEST_{name}", "")


def size(name: str) -> int:
    """How many cases of this name the run walks."""
    usual, soak = SIZES[name]
    return int(given(name) or (soak if WHOLE else usual))


def chosen(name: str, parts: int) -> bool:
    """Whether this run's seed takes `name`, one of `parts`; another seed takes others."""
    return WHOLE or (crc32(name.encode()) + SEED) % parts == 0


def turns(count: int, parts: int) -> range:
    """Which of `count` numbered cases are this run's: one in `parts`, taken without making the others."""
    return range(count) if WHOLE else range(SEED % min(parts, max(count, 1)), count, parts)


def share(names: Iterable[str], parts: int, turn: int | None = None) -> list[str]:
    """One in `parts` of the names, at least one; as many seeds, or turns, in a row take all. All of them in a soak."""
    ranked = sorted(names, key=lambda name: (crc32(name.encode()), name))
    parts = 1 if WHOLE else max(min(parts, len(ranked)), 1)
    return ranked[(SEED if turn is None else turn) % parts :: parts]
