"""What a store's probe found: a StoreFinding for each property. In: answers of both probes. Out: rows to show."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

FIRST, SECOND = b"sampelit-ops probe 1", b"sampelit-ops probe 2"


@dataclass(frozen=True)
class StoreFinding:
    """`tone`: ok, warn (works, but look), bad (no export may rely on it), idle (does not apply)."""

    name: str
    tone: str
    found: str
    why: str = ""
    fix: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
