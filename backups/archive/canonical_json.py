"""Canonical JSON: sorted keys, no spaces, UTF-8, no floats. Out: the bytes that are hashed and signed."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(value: Any) -> bytes:
    """Raises ValueError for floats: their text differs between languages."""
    _refuse_floats(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise ValueError("canonical JSON holds no floats")
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    for item in items:
        _refuse_floats(item)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
