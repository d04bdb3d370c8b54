"""A read, its repetitions and all that a hostile other side does to either end after one deadline together; so does
every other call to the outside, whatever its phase: name, addresses, connection, TLS, head, body, trailers.
"""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import pytest

from providers.errors import ProviderError
from providers.http import api_client, deadline, health_probe, public_address
from providers.http.api_client import JsonClient

SECONDS, OVER = 0.8, 0.5
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
# What is said first, and what is then said for ever, as fast as it is read.
FLOODS = {
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500),
    "trailers": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n" * 5000),
    "a trailer": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"x" * 65536),
    "a chunk's name": (CHUNKED + b"2;", b"x" * 65536),
    "small chunks": (CHUNKED, b"1\r\n \r\n" * 5000),
    "packed nothing": (HEAD + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"") * 500),
    "a failure": (b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", b""),
    "another place": (b"HTTP/1.1 302 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", b""),
}


@pytest.fixture
def flood(listening) -> Callable[[str], int]:
    def speak(connection: socket.socket, name: str) -> None:
        first, then = FLOODS[name]
        with suppress(OSError), connection:
            connection.recv(65536)
            connection.sendall(first)
            while then:
                connection.sendall(then)

    return partial(listening, speak)


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port where a connection neither comes about nor is refused."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])
        for one in waiting:
            one.close()


def _read(url: str) -> object:
    return JsonClient("P", url, "t", deadline=SECONDS).get("/")


def _write(url: str) -> object:
    return JsonClient("P", url, "t", timeout=(SECONDS / 2, SECONDS / 2)).send("POST", "/")


def _probe(url: str) -> None:
    raise OSError(health_probe.fetch(f"{url}/", allow_private=True, timeout=SECONDS).error)


def _hook(url: str) -> object:
    return public_address.post(f"{url.replace('http:', 'https:')}/", b"", {})


CALLS = {"a read": _read, "a write": _write, "a probe": _probe, "a hook": _hook}


def _ends_in_time(call: str, url: str) -> None:
    began = time.monotonic()
    with pytest.raises((ProviderError, OSError)):
        CALLS[call](url)
    assert time.monotonic() - began < SECONDS + OVER


@pytest.mark.parametrize("name", FLOODS)
def test_a_read_and_its_repetitions_end_in_time(flood: Callable[[str], int], name: str) -> None:
    _ends_in_time("a read", f"http://127.0.0.1:{flood(name)}")


@pytest.mark.parametrize("unit", [b"[],", b"{},", b'{"a":1},', b'"ab",', b"1,", b"1e9,"])
def test_an_answer_of_very_many_parts_costs_little(flood: Callable[[str], int], unit: bytes) -> None:
    """Of the processor: no deadline ends that. The longest answer that is read."""
    most = api_client.MAX_BODY_BYTES
    body = b"[" + unit * (most // len(unit) - 1) + b"1]"
    FLOODS["many parts"] = (HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body, b"")
    began = time.thread_time()

    with suppress(ProviderError):
        JsonClient("P", f"http://127.0.0.1:{flood('many parts')}", "t").send("POST", "/")

    assert time.thread_time() - began < 2


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("many", [1, 3, 1000])
@pytest.mark.parametrize("call", CALLS)
def test_a_name_whose_addresses_are_deaf(
    deaf: int, monkeypatch: pytest.MonkeyPatch, call: str, many: int, scheme: str
) -> None:
    _name_leads_to(["127.0.0.1"] * many, deaf, monkeypatch)

    _ends_in_time(call, f"{scheme}://product.example:{deaf}")


def test_a_name_told_late_leaves_a_hook_no_more_than_the_rest(deaf: int, monkeypatch: pytest.MonkeyPatch) -> None:
    _name_leads_to(["127.0.0.1"], deaf, monkeypatch, after=SECONDS * 0.9)

    _ends_in_time("a hook", f"https://product.example:{deaf}")


@pytest.mark.parametrize("first", ["refuses", "is deaf"])
def test_the_next_address_is_asked_where_one_does_not_take_us(
    flood: Callable[[str], int], monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """Both callers; a name often has an address of IPv6 that leads nowhere from here."""
    port = flood("another place")
    with socket.socket() as other, socket.socket() as waiting:
        other.bind(("127.0.0.2", port))
        if first == "is deaf":
            other.listen(0)
            waiting.connect(("127.0.0.2", port))
        _name_leads_to(["127.0.0.2", "127.0.0.1"], port, monkeypatch)

        answer = health_probe.fetch(f"http://product.example:{port}/", allow_private=True, timeout=2)
        with pytest.raises(ProviderError, match="302"):
            JsonClient("P", f"http://product.example:{port}", "t", timeout=(1, 1)).send("POST", "/")

    assert (answer.status, answer.error) == (302, "")


def _name_leads_to(addresses: list[str], port: int, monkeypatch: pytest.MonkeyPatch, after: float = 0) -> None:
    real = socket.getaddrinfo

    def told(host: str, *rest: object, **options: object) -> object:
        if host != "product.example":
            return real(host, *rest, **options)  # type: ignore[arg-type]
        threading.Event().wait(after)
        return [(2, 1, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(deadline.socket, "getaddrinfo", told)
    monkeypatch.setattr(public_address, "PORTS", {port})
    monkeypatch.setattr(public_address, "is_public", lambda address: True)
    monkeypatch.setattr(public_address, "SECONDS", SECONDS)
