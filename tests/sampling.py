"""How much of a counted suite a run walks: a seeded part in `make test`, all of it in a soak (SOAK=1).

Out: WHOLE, the seed (OPS_TEST_SEED), and which part is this run's.
"""

from __future__ import annotations

import os
from zlib import crc32

WHOLE = bool(os.environ.get("SOAK"))
SEED = int(os.environ.get("OPS_TEST_SEED", "20261123"))


def chosen(name: str, parts: int) -> bool:
    """Whether this run's seed takes `name`, one of `parts`; another seed takes others."""
    return WHOLE or (crc32(name.encode()) + SEED) % parts == 0
