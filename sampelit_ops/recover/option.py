"""One way back to what was lost, as a page and a command show it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from operations.models import Environment


@dataclass(frozen=True)
class Option:
    """One way back. Without `kind` it cannot be started, and `note` says why; `loss_seconds` is what stays lost."""

    layer: str
    name: str
    taken_at: datetime | None = None
    loss_seconds: int | None = None
    loss: str = ""
    downtime: str = ""
    price: str = ""
    note: str = ""
    kind: str = ""
    parameters: dict[str, str] = field(default_factory=dict)

    def as_json(self, environment: Environment) -> dict[str, Any]:
        sets = " ".join(f"--set {name}={value}" for name, value in self.parameters.items())
        command = f"sampelit-ops request {self.kind} --environment {environment} {sets} --reason …" if self.kind else ""
        return {**asdict(self), "taken_at": self.taken_at.isoformat() if self.taken_at else None, "command": command}
