"""Reading what a provider sent where it may be of another shape: what cannot be done without, and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.http.errors import Misshapen


def needed(data: Any, name: str) -> str:
    """What a thing cannot be told from others without. Raises Misshapen where it is missing or no word."""
    value = data.get(name) if isinstance(data, Mapping) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        raise Misshapen(f"The provider sent something without {name}.")
    return value


def whole(value: Any) -> int | None:
    """A whole number, also one in quotes; None for anything else."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isdecimal() and len(value) < 20:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def needed_number(data: Any, name: str) -> int:
    """The same of a number. Raises Misshapen."""
    if (number := whole(data.get(name))) is None:
        raise Misshapen(f"The provider sent something whose {name} is no number.")
    return number
