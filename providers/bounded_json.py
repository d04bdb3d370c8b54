"""JSON that somebody else wrote, with its depth limited before it is parsed. In: text or bytes. Out: the value.

Raises ValueError for what is no JSON, nests too deeply, says two things of one name, or holds text that no database
takes (NUL, half characters); where one odd name must not hide the rest, that text is repaired instead.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from itertools import accumulate
from typing import Any

MOST_DEPTH = 64
_STRING, _NO_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL), re.compile(r"[^\[\]{}]+")
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1}
_ODD = re.compile(r"\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})")


def storable(words: str) -> str:
    """The text as PostgreSQL takes it: no NUL, no half of a surrogate pair."""
    return words.replace("\0", "�").encode("utf-8", "replace").decode()


def _repaired(value: Any) -> Any:
    if isinstance(value, dict):
        return {storable(key): _repaired(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_repaired(each) for each in value]
    return storable(value) if isinstance(value, str) else value


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _no_number(word: str) -> None:
    """What no database takes as JSON: nothing is known instead."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Which of two counts, each reader decides otherwise (RFC 8259, 4)."""
    found = dict(pairs)
    if len(found) < len(pairs):
        for name, value in pairs:
            if found[name] != value:
                raise ValueError(f"it says {name[:40]!r} twice, unlike")
    return found


def _finite(repair: bool) -> Callable[[str], float | None]:
    def parsed(digits: str) -> float | None:
        if math.isfinite(value := float(digits)):
            return value
        return None if repair else _refused(digits[:20])

    return parsed


def loads(data: str | bytes, *, depth: int = MOST_DEPTH, parts: int | None = None, repair: bool = False) -> Any:
    """The value; a pair of surrogates is a whole character and allowed. `parts`: the most brackets that it may open,
    in texts too, as each may cost thirty times what it is written in."""
    text = data.decode() if isinstance(data, bytes) else data
    if parts is not None and text.count("[") + text.count("{") > parts:
        raise ValueError(f"it opens more than {parts} lists and objects")
    brackets = _NO_BRACKET.sub("", _STRING.sub("", text))
    if max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > depth:
        raise ValueError(f"it nests deeper than {depth}")
    numbers = {"parse_constant": _no_number if repair else _refused, "parse_float": _finite(repair)}
    value = json.loads(text, object_pairs_hook=_once, **numbers)  # type: ignore[arg-type]
    if _ODD.search(text) or "\0" in text:
        if repair:
            return _repaired(value)
        whole = json.dumps(value, ensure_ascii=False)
        whole.encode()  # UnicodeEncodeError is a ValueError
        if "\\u0000" in whole:
            raise ValueError("it holds a NUL character")
    return value
