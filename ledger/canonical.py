"""The one text form of a ledger entry, and its hash. Pure: no Django, no clock, no database.

In: strings, integers, booleans, null, lists and string-keyed mappings. Out: canonical JSON (sorted keys, no spaces,
UTF-8) and SHA-256 over it. Anything else is refused with the path of the offending value.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

ZERO = "0" * 64
_LARGEST = 2**63
_DEEPEST = 32


class NotCanonical(ValueError):
    """The value has no canonical form; the message names the place and the reason."""


def dumps(value: object) -> str:
    """Canonical JSON text of `value`. Raises NotCanonical."""
    return json.dumps(_checked(value, "data", 0), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _checked(value: object, path: str, depth: int) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return checked_text(value, path)
    if isinstance(value, int):
        return _checked_integer(value, path)
    if depth >= _DEEPEST:
        raise NotCanonical(f"{path} is nested more than {_DEEPEST} deep")
    if isinstance(value, Mapping):
        return {_key(key, path): _checked(item, f"{path}.{key}", depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_checked(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
    hint = "; write it as text or as an integer of a smaller unit" if isinstance(value, float) else ""
    raise NotCanonical(f"{path} is a {type(value).__name__}, which has no canonical form{hint}")


def checked_text(value: str, path: str) -> str:
    """The plain text of a string Postgres can store. Raises NotCanonical for NUL and lone surrogates."""
    if "\x00" in value:
        raise NotCanonical(f"{path} holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise NotCanonical(f"{path} is not valid Unicode: {error.reason}") from error
    return str.__str__(value)


def _checked_integer(value: int, path: str) -> int:
    if not -_LARGEST <= value < _LARGEST:
        raise NotCanonical(f"{path} does not fit into 64 bits")
    return int(value)


def _key(key: object, path: str) -> str:
    if not isinstance(key, str):
        raise NotCanonical(f"{path} has the key {key!r}, which is not text")
    return checked_text(key, f"{path} key")


def digest(previous: str, fields: list[str | int | bool]) -> str:
    """SHA-256 (hex) of the previous hash and the entry's fields in their fixed order, as one canonical JSON array."""
    text = json.dumps([previous, *fields], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
