"""Render's lists: bare arrays of `{"cursor", "<thing>"}`; the next page starts after the last item's cursor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from providers.http.api_client import JsonClient

Value = str | int | bool | datetime | Sequence[str] | None
PAGE = 100


def query(**values: Value) -> dict[str, str | int | Sequence[str]]:
    """Query parameters as Render reads them: RFC 3339 times, lower-case booleans, nothing for None."""
    out: dict[str, str | int | Sequence[str]] = {}
    for name, value in values.items():
        if value is None:
            continue
        if isinstance(value, datetime):
            out[name] = value.isoformat()
        else:
            out[name] = ("true" if value else "false") if isinstance(value, bool) else value
    return out


def pages(http: JsonClient, path: str, thing: str, limit: int = PAGE, **values: Value) -> Iterator[list[Any]]:
    """Each page's things, newest first as Render sends them; ends at a page shorter than the limit."""
    cursor: str | None = None
    while True:
        answer = http.get(path, query(**values, cursor=cursor, limit=limit))
        items = [item for item in answer or () if isinstance(item, Mapping)]
        yield [item.get(thing, item) for item in items]
        cursor = items[-1].get("cursor") if items else None
        if len(items) < limit or not cursor:
            return


def things(http: JsonClient, path: str, thing: str, limit: int = PAGE, **values: Value) -> Iterator[Any]:
    for page in pages(http, path, thing, limit, **values):
        yield from page


def at(*pieces: str) -> str:
    """A path of quoted pieces: an id from outside can never climb to another address."""
    return "".join("/" + quote(piece, safe="") for piece in pieces)
