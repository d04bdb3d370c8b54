"""JSON that somebody else wrote, with its depth limited before it is parsed. In: text or bytes. Out: the value.

Raises ValueError for what is no JSON, nests too deeply, or holds text that no database takes (NUL, half characters).
"""

from __future__ import annotations

import json
import re
from typing import Any

MOST_DEPTH = 64
_MARK = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
_ODD = re.compile(r"\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})")


def loads(data: str | bytes, *, depth: int = MOST_DEPTH) -> Any:
    """The value; a pair of surrogates is a whole character and allowed."""
    text = data.decode() if isinstance(data, bytes) else data
    level = 0
    for mark in _MARK.finditer(text):
        if mark[0] in "[{":
            level += 1
        elif mark[0] in "]}":
            level -= 1
        if level > depth:
            raise ValueError(f"it nests deeper than {depth}")
    value = json.loads(text)
    if _ODD.search(text) or "\0" in text:
        whole = json.dumps(value, ensure_ascii=False)
        whole.encode()  # UnicodeEncodeError is a ValueError
        if "\\u0000" in whole:
            raise ValueError("it holds a NUL character")
    return value
