"""What is no honest request: thousands of parts, parameters or headers, no end, no length. Refused for little CPU."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from django.db import connection

from tests import portal_database
from tests.sampelit_ops.served import Served, served

MOST_CPU_SECONDS, TRIES = 0.1, 3
LOGIN = b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
LOOK = b"GET /admin/login/%s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
PARTS = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
LONG = b"A" * 4_000


def _post(body: bytes, kind: bytes = FORM) -> bytes:
    return LOGIN + kind + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _multipart(body: bytes, boundary: bytes = b"b") -> bytes:
    return _post(body, b"Content-Type: multipart/form-data; boundary=%s\r\n" % boundary)


def _hook(body: bytes, headers: bytes = b"") -> bytes:
    head = b"POST /webhooks/render/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    return head + b"Content-Type: application/json\r\n" + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body


SIGNED = b"webhook-id: a\r\nwebhook-timestamp: 1\r\nwebhook-signature: " + b"v1,a " * 1_500 + b"\r\n"
REQUESTS = {
    "100,000 parameters in the query": LOOK % (b"?" + b"a&" * 100_000) + b"\r\n",
    "2,000 parameters in the query": LOOK % (b"?" + b"a&" * 2_000) + b"\r\n",
    "120,000 fields": _post(b"a&" * 120_000),
    "one name 60,000 times": _post(b"a=1&" * 60_000),
    "semicolons": _post(b"a=1;" * 60_000),
    "percent signs": _post(b"a=" + b"%" * 200_000),
    "as many escapes as pass": _post(b"a=" + b"%41" * 65_000),
    "broken escapes": _post(b"a=" + b"%zz" * 60_000),
    "plus signs": _post(b"+" * 250_000),
    "4,500 parts": _multipart(PARTS * 4_500 + b"--b--\r\n"),
    "empty parts": _multipart(b"--b\r\n\r\n\r\n" * 20_000 + b"--b--\r\n"),
    "only boundaries": _multipart(b"--b\r\n" * 50_000),
    "no boundary in it": _multipart(b"a" * 250_000),
    "nearly a boundary": _multipart(b"\r\n--" * 60_000),
    "a long boundary": _multipart(b"--" + b"b" * 200 + b"\r\n" + b"\r\n--" + b"b" * 199, b"b" * 200),
    "4,000 files": _multipart(PARTS.replace(b'"a"', b'"a"; filename="x"') * 3_700 + b"--b--\r\n"),
    "headers of a part without an end": _multipart(b"--b\r\n" + b"A: b\r\n" * 40_000),
    "a long header of a part": _multipart(b"--b\r\nContent-Disposition: form-data; name=" + b'"\\' * 100_000),
    "parameters of a part": _multipart(b"--b\r\nContent-Disposition: form-data" + b"; a=b" * 40_000 + b"\r\n\r\n"),
    "base64 of a part": _multipart(
        PARTS.replace(b"\r\n\r\n1", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"=" * 200_000)
    ),
    "parameters of the type": _post(b"a=1", b"Content-Type: multipart/form-data" + b"; a=b" * 700 + b"\r\n"),
    "an unknown charset": _post(b"a=1", FORM.replace(b"\r\n", b"; charset=" + LONG + b"\r\n")),
    "1,000 cookies": LOOK % b"" + b"Cookie: " + b"a=b; " * 1_600 + b"\r\n\r\n",
    "a quoted cookie": LOOK % b"" + b'Cookie: a="' + b"\\\\" * 3_900 + b"\r\n\r\n",
    "a cookie of octals": LOOK % b"" + b'Cookie: a="' + b"\\101" * 1_900 + b'"\r\n\r\n',
    "200 headers": LOOK % b"" + b"X-A: b\r\n" * 200 + b"\r\n",
    "20,000 headers": LOOK % b"" + b"X-A: b\r\n" * 20_000 + b"\r\n",
    "one header 40 times": LOOK % b"" + b"X-Forwarded-For: 1.2.3.4\r\n" * 40 + b"\r\n",
    "hosts": LOOK % b"" + b"Host: a\r\n" * 30 + b"\r\n",
    "a folded header": LOOK % b"" + b"X-A: b\r\n c\r\n" * 2_000 + b"\r\n",
    "languages": LOOK % b"" + b"Accept-Language: " + b"en-a-b;q=0.1," * 600 + b"\r\n\r\n",
    "encodings": LOOK % b"" + b"Accept-Encoding: " + b"gzip;q=0." * 800 + b"\r\n\r\n",
    "ranges": LOOK % b"" + b"Range: bytes=" + b"0-," * 2_600 + b"\r\n\r\n",
    "dates": LOOK % b"" + b"If-Modified-Since: " + b"9" * 8_000 + b"\r\n\r\n",
    "addresses": LOOK % b"" + b"X-Forwarded-For: " + b"::1," * 1_000 + b"\r\n\r\n",
    "chunks": LOGIN + FORM + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 60_000 + b"0\r\n\r\n",
    "a chunk of a huge size": LOGIN + FORM + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 4_000 + b"\r\n",
    "chunk extensions": LOGIN
    + FORM
    + b"Transfer-Encoding: chunked\r\n\r\n1;"
    + b"a=b;" * 60_000
    + b"\r\na\r\n0\r\n\r\n",
    "both lengths": LOGIN + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a long number as length": LOGIN + b"Content-Length: " + b"9" * 7_000 + b"\r\n\r\n",
    "deep JSON": _hook(b"[" * 200_000),
    "deep JSON with signatures": _hook(b"[" * 200_000, SIGNED),
    "a form of JSON": _post(b'{"a":' * 40_000, b"Content-Type: application/json\r\n"),
    "no HTTP": b"\x16\x03\x01" * 300_000,
    "empty lines": b"\r\n" * 400_000,
    "a long method": b"A" * 800_000,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 500_000,
}


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[Served]:
    dsn = portal_database.server.dsn(str(connection.settings_dict["NAME"]))
    with served("sampelit_ops.wsgi", "--workers", "1", environment={"DATABASE_URL": dsn}) as started:
        yield started


def _answer(server: Served, request: bytes) -> bytes:
    """The status line; empty where the server just closed."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        try:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            return client.recv(1_000).split(b"\r\n")[0]
        except (ConnectionError, OSError):
            return b""


@pytest.mark.parametrize("name", REQUESTS)
def test_a_dishonest_request_costs_little(server: Served, name: str) -> None:
    costs: list[float] = []
    while len(costs) < TRIES and (not costs or costs[-1] > MOST_CPU_SECONDS):
        began = server.used()
        answer = _answer(server, REQUESTS[name])
        costs.append(server.used() - began)

    assert min(costs) <= MOST_CPU_SECONDS
    assert not answer.startswith(b"HTTP/1.1 500")
    assert server.ask("/healthz").startswith(b"HTTP/1.1 200")
