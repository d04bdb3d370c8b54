"""Reading what a provider sent where it may be of another shape: what cannot be done without, numbers and times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from providers.bounded_json import storable
from providers.http.errors import Misshapen

Json = Mapping[str, Any]
LAST_YEAR = 2200
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # Unicode TR 9, 2.1 to 2.4


def moment(value: Any, first_year: int = 2) -> datetime | None:
    """An aware datetime from RFC 3339 text or epoch seconds (or milliseconds); None for what is unreadable or older, or
    of a year that no clock shows: it would be the newest for ever.
    """
    try:
        if isinstance(value, bool):
            return None
        if isinstance(value, int | float):
            parsed = datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        else:
            parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    if not first_year <= parsed.year < LAST_YEAR:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def content(value: Any) -> str:
    """What is compared and kept as it is: the value of a variable, a file."""
    return storable(value if isinstance(value, str) else "" if value is None else str(value))


def text(value: Any) -> str:
    """Words for people: a sign that turns the order of what stands behind it shows as the sign for what is unreadable,
    so that no name or title lets a sentence of ours read as another."""
    return _TURNING.sub("�", content(value))


def part(value: Any) -> Json:
    return value if isinstance(value, Mapping) else {}


def thing(value: Any) -> Json:
    """One object. Raises Misshapen for what is none."""
    if not isinstance(value, Mapping):
        raise Misshapen(f"The provider sent {type(value).__name__} instead of a thing.")
    return value


def rows(value: Any) -> list[Json]:
    """The objects of a list. Raises Misshapen for what is no list: that is not an empty one."""
    if not isinstance(value, list):
        raise Misshapen(f"The provider sent {type(value).__name__} instead of a list.")
    return [item for item in value if isinstance(item, Mapping)]


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


def flag(data: Json, name: str) -> bool:
    """Raises Misshapen where it is missing or no truth value: what is not said is neither off nor on."""
    if not isinstance(value := data.get(name), bool):
        raise Misshapen(f"The provider did not say whether {name}.")
    return value


def words(data: Json, name: str) -> tuple[str, ...]:
    """The texts of a list. Raises Misshapen where it is missing or none: that is not an empty one."""
    if not isinstance(value := data.get(name), list):
        raise Misshapen(f"The provider sent no list of {name}.")
    return tuple(text(item) for item in value)
