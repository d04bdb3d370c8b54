"""A syntax tree no deeper than every walk through it can follow, whatever interpreter walks.

In: the grammar's JSON. Out: the tree. How deep Python's own parser goes is no bound: since 3.12 it follows where the
functions that read the tree cannot.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any

DEEPEST = 600  # levels of JSON: a hundred SELECTs in each other; walks of it end long before a thousand frames
_BEGINNING = 256 * 1024  # a hundred megabytes of one operator's chain are deep from here on
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"?')
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


class TooDeep(Exception):
    """The tree is deeper than what reads it can follow."""


def bounded_tree(data: bytes) -> Any:
    """The tree. Raises TooDeep, and ValueError for what is no JSON."""
    many = data.count(b"{") + data.count(b"[") > DEEPEST
    if many and (_depth(data[:_BEGINNING]) > DEEPEST or _depth(data) > DEEPEST):
        raise TooDeep
    try:
        return json.loads(data.decode())
    except RecursionError:
        raise TooDeep from None


def _depth(data: bytes) -> int:
    brackets = _TEXT.sub(b"", data).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)
