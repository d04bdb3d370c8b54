"""Sequence numbers as ranges: compared, counted, and packed small. Pure.

Packed: "<gap>x<length>" after the end of the range before, joined by commas ("x1" is left out), zlib, base64: less than
a byte for each scattered conversion.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Sequence

Pairs = list[tuple[int, int]]


def packed(pairs: Sequence[tuple[int, int]]) -> str:
    parts, end = [], 0
    for low, high in pairs:
        parts.append(f"{low - end}" + (f"x{high - low + 1}" if high > low else ""))
        end = high
    return base64.b64encode(zlib.compress(",".join(parts).encode(), 9)).decode()


def unpacked(text: str) -> Pairs:
    """Raises ValueError for anything else than `packed` gives."""
    try:
        plain = zlib.decompress(base64.b64decode(text, validate=True)).decode()
    except zlib.error as error:
        raise ValueError(f"packed sequence numbers: {error}") from None
    pairs, end = [], 0
    for part in plain.split(",") if plain else []:
        gap, _, length = part.partition("x")
        low = end + int(gap)
        end = low + int(length or 1) - 1
        pairs.append((low, end))
    return pairs


def from_multirange(text: str) -> Pairs:
    """PostgreSQL's text of an int8multirange, such as {[1,4),[7,8)}."""
    inner = text.strip("{}")
    parts = [part.strip("[)").split(",") for part in inner.split("),")] if inner else []
    return [(int(low), int(high) - 1) for low, high in parts]


def multirange(pairs: Sequence[tuple[int, int]]) -> str:
    return "{" + ",".join(f"[{low},{high + 1})" for low, high in pairs) + "}"


def added(before: Sequence[tuple[int, int]], after: Sequence[tuple[int, int]]) -> Pairs:
    """What `after` has and `before` has not, in one pass over both."""
    return list(_joined(_minus(after, before)))


def _minus(left: Sequence[tuple[int, int]], right: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    index = 0
    for low, high in left:
        while index < len(right) and right[index][1] < low:
            index += 1
        at, position = low, index
        while position < len(right) and right[position][0] <= high:
            if right[position][0] > at:
                yield at, right[position][0] - 1
            at = max(at, right[position][1] + 1)
            position += 1
        if at <= high:
            yield at, high


def _joined(pairs: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    last: tuple[int, int] | None = None
    for pair in pairs:
        if last and pair[0] == last[1] + 1:
            last = (last[0], pair[1])
            continue
        if last:
            yield last
        last = pair
    if last:
        yield last


def count(pairs: Sequence[tuple[int, int]]) -> int:
    return sum(high - low + 1 for low, high in pairs)
