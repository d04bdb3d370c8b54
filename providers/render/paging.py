"""Render's lists: bare arrays of `{"cursor", "<thing>"}`; the next page starts after the last item's cursor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from providers.http.api_client import JsonClient
from providers.http.errors import Misshapen

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
    """Each page's things, newest first as Render sends them; ends at a page shorter than the limit.

    Raises Misshapen for what is no list, and for a cursor that leads back: neither is an end."""
    for page, _ in pages_after(http, path, thing, "", limit, **values):
        yield page


def pages_after(
    http: JsonClient, path: str, thing: str, after: str, limit: int = PAGE, **values: Value
) -> Iterator[tuple[list[Any], str]]:
    """The pages behind a cursor, each with the cursor behind it, which is empty at the end."""
    cursor: str | None = after or None
    seen: set[str | None] = set()
    while cursor not in seen:
        seen.add(cursor)
        answer = http.get(path, query(**values, cursor=cursor, limit=limit))
        if not isinstance(answer, list):
            raise Misshapen(f"{http.provider} answered GET {path} with {type(answer).__name__} instead of a list.")
        items = [item for item in answer if isinstance(item, Mapping)]
        cursor = items[-1].get("cursor") if items and len(answer) >= limit else None
        yield [each for item in items if isinstance(each := item.get(thing, item), Mapping)], cursor or ""
        if not cursor:
            return
    raise Misshapen(f"{http.provider} repeats the cursor {str(cursor)[:80]} of GET {path}.")


def things(http: JsonClient, path: str, thing: str, limit: int = PAGE, **values: Value) -> Iterator[Any]:
    for page in pages(http, path, thing, limit, **values):
        yield from page


def at(*pieces: str) -> str:
    """A path of quoted pieces; one of dots alone, which would climb, the client refuses."""
    return "".join("/" + quote(piece, safe="") for piece in pieces)
