"""The cases of `test_front_door.py`: who sends what under which name, in which way, to which address.

In: the fields that the pages show, by address. Out: cases, and the request of each. Each field meets each text; whether
whole or cut to the most that is looked at, in which way and by whom goes round by the case's own digest.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from urllib.parse import quote_from_bytes, urlencode
from zlib import crc32

from django.urls import Resolver404, resolve

from operations.web.body_limit import ORDINARY, limit_of
from sampelit_ops import permission_matrix
from tests import sampling
from tests.sampelit_ops.forms import asked_names, filters

TOKEN = "a" * 32
ANYBODY = ("/", "/healthz", "/readyz", "/metrics", "/admin/login/", "/webhooks/render/", "/favicon.ico", "/nowhere")
PLAIN = [bytes([code]) for code in b"\0\t\n\x1b !\"#%&'()*+,-./09:;<=>A[\\]_`a{|}~"]
ENCODED = [text.encode() for text in ("é", "😀", "\u202e", "\ufdfd", "İ", "\u0301\u0323", "%00", "&#0;", "../")]
BROKEN = [b"\xff", b"\xed\xa0\x80", b"\xc0\x80"]
UNITS = [*PLAIN, *ENCODED, *BROKEN, b"[1,", b'{"a":', b"a=b;", b"a,b\r\n", b"::", b"\\u0000"]
TEXTS = range(len(UNITS) + 1)
EVERYWHERE = {"csrfmiddlewaretoken", "_save", "_continue", "_addanother", "_selected_action", "action"}
HEADERS = (
    *("Origin", "Referer", "Cookie", "User-Agent", "X-Request-ID", "X-Forwarded-For", "X-Forwarded-Proto", "Host"),
    *("Authorization", "Accept-Language", "Accept", "Accept-Encoding", "Content-Type", "X-CSRFToken", "Range"),
    *("If-None-Match", "If-Modified-Since", "X-Requested-With", "webhook-id", "webhook-signature", "webhook-timestamp"),
    *("Expect", "X-Anything"),
)
WAYS = ("urlencoded", "multipart", "json", "query", "as a name", "as the body", "file")
LINE, HEAD, SHORT_HEAD = 3_800, 8_000, 4_000


@dataclass(frozen=True)
class Case:
    """One request: the text is that of UNITS at this place, the last one the random text."""

    path: str
    name: str
    text: int
    whole: bool
    way: str
    who: str


def cases(fields: dict[str, set[str]]) -> Iterator[Case]:
    """Every address with each of its fields and each text; with each header; somewhere each name that code asks for."""
    paths = sorted(fields)
    for path in paths:
        yield from (_case(path, name, text) for name in sorted(fields[path] - EVERYWHERE) for text in TEXTS)
        yield from (_case(path, name, _digest(path, name) % len(TEXTS)) for name in (*HEADERS, *EVERYWHERE))
        yield from (_case(path, name, _digest(path, name) % len(TEXTS)) for name in sorted(filters(path)))
    for name, text in product(sorted(asked_names()), TEXTS):
        yield _case(paths[_digest(name, str(text)) % len(paths)], name, text)


def _case(path: str, name: str, text: int) -> Case:
    turn = _digest(path, name, str(text))
    way = "header" if name in HEADERS else WAYS[turn % len(WAYS)]
    whole = turn // 8 % 2 == 0
    return Case(path, name, text, whole, way, permission_matrix.WHO[turn // 64 % len(permission_matrix.WHO)])


def _digest(*parts: str) -> int:
    return crc32("\n".join((*parts, str(sampling.SEED))).encode())


@cache  # made once: a soak asks for each hundreds of times
def text(number: int) -> bytes:
    """A megabyte of one unit, or two million characters of many."""
    if number < len(UNITS):
        return UNITS[number] * (1_000_000 // len(UNITS[number]))
    chance = random.Random(sampling.SEED)
    return "".join(chr(chance.randrange(32, 0x2FFF)) for _ in range(2_000_000)).encode()


def request(case: Case, cookie: str) -> tuple[str, str, bytes, dict[str, str | bytes]]:
    """Method, target, body and headers."""
    headers: dict[str, str | bytes] = {"Host": "127.0.0.1", "Cookie": cookie, "X-CSRFToken": TOKEN}
    if case.way == "header":
        return "GET", case.path, b"", {**headers, case.name: _header(case, cookie)}
    if case.way == "query":
        return "GET", f"{case.path}?{case.name}={_quoted(case.text, 2_000_000 if case.whole else LINE)}", b"", headers
    kind, body = _body(case)
    return "POST", case.path, body, {**headers, "Content-Type": kind}


def _header(case: Case, cookie: str) -> bytes:
    most = 2_000_000 if case.whole else SHORT_HEAD if case.name != "Cookie" else HEAD - len(cookie)
    value = text(case.text)[:most].replace(b"\r", b"").replace(b"\n", b"")
    return f"{cookie}; x=".encode() + value if case.name == "Cookie" else value


def _body(case: Case) -> tuple[str, bytes]:
    size = 6_000_000 if case.whole else _most(case.path)
    given, fields = text(case.text)[:size], {**permission_matrix.BODY, "csrfmiddlewaretoken": TOKEN}
    if case.way == "json":
        return "application/json", json.dumps({**fields, case.name: given.decode("utf-8", "replace")}).encode()
    if case.way == "as the body":
        return "application/x-www-form-urlencoded", given
    if case.way == "urlencoded":
        return _urlencoded(fields, case.name, _quoted(case.text, size))
    if case.way == "as a name":
        return _urlencoded(fields, _quoted(case.text, size), "1")
    return "multipart/form-data; boundary=bound", _multipart(fields, case, given)


def _urlencoded(fields: dict[str, str], name: str, value: str) -> tuple[str, bytes]:
    return "application/x-www-form-urlencoded", f"{urlencode(fields)}&{name}={value}".encode()


def _multipart(fields: dict[str, str], case: Case, given: bytes) -> bytes:
    named = 'name="%s"; filename="schema_1.sql"' if case.way == "file" else 'name="%s"'
    parts = [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    pieces = [
        b"--bound\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (name.encode(), value)
        for name, value in (*parts, (named % case.name, given))
    ]
    return b"".join(pieces) + b"--bound--\r\n"


def _most(path: str) -> int:
    """The longest field that this page looks at."""
    try:
        return min(limit_of(resolve(path).func).field, 1_000_000)
    except Resolver404:
        return ORDINARY.field


@cache  # made once: a soak asks for each hundreds of times
def _quoted(number: int, size: int) -> str:
    return quote_from_bytes(text(number)[:size])[: size if size == LINE else None]
