"""What a proof found that must never be: one Finding a kind and table, before it becomes an incident. Values only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

KEPT_ROWS = 200


@dataclass(frozen=True)
class Finding:
    """`fingerprint` is the same exactly when the same rows differ in the same way. `rows` never leave the portal."""

    code: str
    subject: str
    summary: str
    total: int
    fingerprint: str
    rows: tuple[dict[str, Any], ...] = ()

    def document(self) -> dict[str, object]:
        """As it lies in the store beside the run: without the rows, which may be secret there."""
        names = ("code", "subject", "summary", "total", "fingerprint")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Examined:
    """`baseline` is the run that it was compared with; `not_compared` says why rows were not."""

    baseline: str = ""
    not_compared: str = ""
    rows_loaded: int = 0
    milliseconds: int = 0
    findings: tuple[Finding, ...] = ()
    verifier: dict[str, object] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        names = ("baseline", "not_compared", "rows_loaded", "milliseconds", "verifier")
        return {**{name: getattr(self, name) for name in names}, "findings": [f.document() for f in self.findings]}


def fingerprint(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
