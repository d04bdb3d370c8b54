"""What a health address says, however it says it: only a good word that was read whole is good."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from deployments.health.assessment import Verdict, assess
from providers.http import health_probe
from providers.http.health_probe import HealthResponse

GOOD, BAD, UNCLEAR, SILENT = Verdict.GOOD, Verdict.BAD, Verdict.UNCLEAR, Verdict.SILENT
SAID = [
    (GOOD, 200, [b"OK", b" ok\n", b'"ok"', b"true", b'{"status":"UP"}', b'{"status":true}', b'{"healthy":true}']),
    (GOOD, 200, [b'{"database":true}', b'{"database":"connected"}', b'{"status":"pass","database":null}']),
    (GOOD, 204, [b""]),
    (BAD, 200, [b'{"status":"degraded"}', b'{"healthy":false}', b'{"ok":false,"status":"ok"}', b'{"status":false}']),
    (BAD, 200, [b'{"database":false}', b'{"status":"ok","database":"down"}']),
    (
        BAD,
        200,
        [f'{{"status":"{word}"}}'.encode() for word in ("Unhealthy", "error", "FAILED", "major_outage", "DOWN")],
    ),
    (BAD, 200, [b'{"status":"starting","database":"disconnected"}', b'{"status":"warming","healthy":false}']),
    (
        UNCLEAR,
        200,
        [f'{{"status":"{word}"}}'.encode() for word in ("starting", "warn", "maintenance", "bereit", "200")],
    ),
    (
        UNCLEAR,
        200,
        [
            b'{"database":{"up":1}}',
            b'{"status":"ok","database":{"up":1}}',
            b'{"status":"ok","database":"17.4"}',
            b'{"database":1}',
        ],
    ),
    (BAD, 503, [b"", b"OK", b'{"status":"healthy"}', b"<html>", b"[" * 9_000]),
    (BAD, 404, [b'{"status":"ok"}']),
    *((BAD, status, [b"", b"OK"]) for status in (400, 408, 410, 418, 500, 502, 504, 520, 599)),
    *((UNCLEAR, status, [b"", b'{"status":"ok"}']) for status in (301, 302, 304, 307, 308)),  # Render takes it for well
    *((UNCLEAR, status, [b"", b'{"status":"down"}']) for status in (401, 403, 405, 407, 429, 451)),
    (UNCLEAR, 200, [b"", b" ", b"<html>Service Suspended</html>", b"degraded", b"Service Suspended", b"not ok"]),
    (
        UNCLEAR,
        200,
        [b"[]", b'["healthy"]', b"{}", b"null", b"7", b'{"status":null}', b'{"status":7}', b'{"version":"1"}'],
    ),
    (UNCLEAR, 200, [b"[" * 60_000, b'{"status":"ok"', b"\xff\xfe", b'{"status":"\\u0000"}', b'{"version":"\\ud800"}']),
    (UNCLEAR, 200, [b'{"status":{"code":"ok"}}', b'{"healthy":"yes"}', b'{"healthy":null}', b"\0", b'{"version":"1"}']),
]


@pytest.mark.parametrize(("verdict", "status", "bodies"), SAID)
def test_only_a_good_word_is_good(verdict: Verdict, status: int, bodies: list[bytes]) -> None:
    found = {body[:40]: assess(HealthResponse(status, body)).verdict for body in bodies}

    assert found == dict.fromkeys(found, verdict)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
FINE, SICK = b'{"status":"ok"}', b'{"status":"degraded"}'
LONG = b'{"padding":"' + b"x" * 70_000 + b'","status":"degraded"}'


def sized(body: bytes, *more: bytes, of: int | None = None) -> bytes:
    return HEAD + b"".join(more) + b"Content-Length: %d\r\n\r\n" % (len(body) if of is None else of) + body


GZIP = b"Content-Encoding: gzip\r\n"
SPOKEN = {
    "whole": (sized(FINE), GOOD),
    "cut": (sized(FINE, of=100), SILENT),
    "cut chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nf\r\n" + FINE, SILENT),
    "chunk without a size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + FINE, SILENT),
    "too long": (sized(LONG), UNCLEAR),
    "too long to an end that never comes": (sized(LONG, of=10**11), UNCLEAR),
    "packed": (sized(gzip.compress(FINE), GZIP), GOOD),
    "packed and sick": (sized(gzip.compress(SICK), GZIP), BAD),
    "packed in two": (sized(gzip.compress(FINE) + gzip.compress(SICK), GZIP), UNCLEAR),
    "packed and cut": (sized(gzip.compress(FINE)[:-8], GZIP), UNCLEAR),
    "of a cache": (sized(FINE, b"Age: 7\r\n"), UNCLEAR),
    "of a cache just now": (sized(FINE, b"Age: 0\r\n"), GOOD),
    "of an odd age": (sized(FINE, b"Age: -5\r\nAge: old\r\n"), GOOD),
    "bomb": (sized(gzip.compress(b" " * 50_000_000 + SICK), GZIP), UNCLEAR),
    "packed in name only": (sized(FINE, GZIP), UNCLEAR),
    "packed strangely": (sized(FINE, b"Content-Encoding: br\r\n"), UNCLEAR),
    "no HTTP": (b"220 mail.example ESMTP\r\n", SILENT),
    "half a head": (b"HTTP/1.1 200 OK\r\nContent-Le", UNCLEAR),
    "nothing": (b"", SILENT),
    "many headers": (HEAD + b"X: y\r\n" * 200 + b"\r\n" + FINE, SILENT),
}


@pytest.fixture
def speak() -> Iterator[Callable[[bytes], str]]:
    """An address that answers each connection with these bytes and closes it."""
    listeners = []

    def start(spoken: bytes) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                try:
                    connection.sendall(spoken)
                except OSError:  # it has heard enough
                    return

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/health"

    yield start
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize("name", SPOKEN)
def test_what_was_not_read_whole_is_never_good(speak: Callable[[bytes], str], name: str) -> None:
    spoken, verdict = SPOKEN[name]

    answer = health_probe.fetch(speak(spoken), allow_private=True, timeout=3)

    assert assess(answer).verdict == verdict
