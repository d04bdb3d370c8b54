"""How much of a counted suite a run walks: a seeded part in `make test`, all of it in a soak (SOAK=1).

Out: WHOLE, the seed (OPS_TEST_SEED), the size of a suite by name (OPS_TEST_<name> says another), and whether a case is
one of this run's.
"""

from __future__ import annotations

import os
from zlib import crc32

WHOLE = bool(os.environ.get("SOAK"))
SEED = int(os.environ.get("OPS_TEST_SEED", "20261123"))
SIZES = {  # with the tests, in a soak
    "AUTHORITY_WALKS": (10, 10_000),
    "CONVERSIONS": (40, 10_000),
    "DAYS": (14, 365),
    "EVIDENCE_WALKS": (120, 4_000),
    "FAILPOINTS": (6, 150),
    "FORGERIES": (3, 1_000),
    "HISTORIES": (60, 2_000),
    "KEEPS": (12, 200),
    "KILLS": (2, 30),
    "MIGRATION_HISTORIES": (6, 2_000),
    "RETENTION_HISTORIES": (150, 3_000),
    "STEPS": (14, 200),
    "VOTE_RACES": (3, 100),
    "WALKS": (2, 500),
}


def size(name: str) -> int:
    """How many cases of this name the run walks."""
    usual, soak = SIZES[name]
    return int(os.environ.get(f"OPS_TEST_{name}") or (soak if WHOLE else usual))


def chosen(name: str, parts: int) -> bool:
    """Whether this run's seed takes `name`, one of `parts`; another seed takes others."""
    return WHOLE or (crc32(name.encode()) + SEED) % parts == 0
