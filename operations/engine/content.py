"""What the votes bind: one digest over kind, environment, parameters and the kind's own content."""

from __future__ import annotations

import hashlib
import json

from operations.engine.kinds import OperationKind, Parameters
from operations.models import Environment


def content_sha256(kind: OperationKind, environment: Environment, parameters: Parameters) -> str:
    """Hex SHA-256 of the canonical JSON of what is asked, and of `kind.content` (stored SQL, plan, rule-set)."""
    asked = {"kind": kind.name, "environment": environment.slug, "parameters": parameters}
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode() + b"\0" + kind.content(environment, parameters)).hexdigest()
