"""Whoever we call ends within one deadline, however slowly they speak: no name, byte, head or body holds us longer.

And nothing speaks to the outside but what stands in the table, with what bounds it.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage

from providers import advisories, collector
from providers.errors import ProviderError
from providers.http import deadline, health_probe, public_address, smtp
from providers.http.api_client import JsonClient
from providers.http.transport import Watched
from providers.storage import base, s3_client
from providers.storage.base import parse
from providers.storage.django_storage import BackupS3Storage
from providers.storage.s3 import S3Store

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("providers", "ledger", "operations", "deployments", "backups", "migrations_registry", "sampelit_ops")
SECONDS, PAUSE = 0.8, 0.15
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SLOW = {
    "nothing": b"",
    "a head": b"H" + HEAD * 50,
    "headers without an end": HEAD + b"X-A: b\r\n" * 500,
    "a body": HEAD + b"Content-Length: 500\r\n\r\n" + b"1" * 500,
    "a body without a length": HEAD + b"\r\n" + b"1" * 500,
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n1\r\n" * 500,
    "a greeting": b"220-" + b"x" * 500,
    "greetings": b"220-x\r\n" * 500,
}
FAST = {"a body", "a body without a length", "chunks", "headers without an end"}  # up to where it becomes slow


@pytest.fixture
def stranger(listening) -> Iterator[Callable[[str], int]]:
    """A port that speaks a text, a byte at a time, and never ends."""
    over = threading.Event()

    def speak(connection: socket.socket, name: str) -> None:
        text = SLOW[name]
        fast = text.index(b"\r\n", len(HEAD)) + 4 if name in FAST else 0
        with suppress(OSError), connection:
            connection.sendall(text[:fast])
            for byte in text[fast:]:
                if over.wait(PAUSE):
                    return
                connection.sendall(bytes([byte]))
            over.wait(30)

    yield partial(listening, speak)
    over.set()


def _get(port: int) -> object:
    return JsonClient("P", f"http://127.0.0.1:{port}", "t", timeout=(SECONDS, 9), deadline=SECONDS).get("/")


def _write(port: int) -> object:
    return JsonClient("P", f"http://127.0.0.1:{port}", "t", timeout=(SECONDS / 2, SECONDS / 2)).send("POST", "/")


def _probe(port: int) -> object:
    answer = health_probe.fetch(f"http://127.0.0.1:{port}/", allow_private=True, timeout=SECONDS)
    raise OSError(answer.error)


def _tls_probe(port: int) -> object:
    answer = health_probe.fetch(f"https://127.0.0.1:{port}/", allow_private=True, timeout=SECONDS)
    raise OSError(answer.error)


def _hook(port: int) -> object:
    return public_address.post(f"https://127.0.0.1:{port}/", b"", {})


def _mail(port: int) -> object:
    backend = smtp.EmailBackend(host="127.0.0.1", port=port, username="", password="", use_tls=False, timeout=9)
    return backend.send_messages([EmailMessage("s", "t", to=["a@example.com"])])


def _advisory(port: int) -> object:
    raise OSError(advisories.holes({"django": "5.2"}))


def _https_collector(port: int) -> None:
    collector.at(f"http://127.0.0.1:{port}/").deliver([b"{}"])


def _syslog_collector(port: int) -> None:
    collector.at(f"syslog+tcp://127.0.0.1:{port}").deliver([b"<14>1 x"])


def _tls_syslog_collector(port: int) -> None:
    collector.at(f"syslog+tls://127.0.0.1:{port}").deliver([b"<14>1 x"])


def _store(port: int) -> S3Store:
    return S3Store(parse(f"s3://bucket/p?endpoint=http://127.0.0.1:{port}"))


def _transfer(port: int) -> object:
    return _store(port).client.put_object(Bucket="bucket", Key="key", Body=b"x" * 100_000)


CALLS = {
    "a store's facts": lambda port: _store(port).head("key"),
    "a store's list": lambda port: list(_store(port).list()),
    "a store's object": lambda port: _store(port).get("key"),
    "an object for a store": _transfer,
    "an end in a store": lambda port: _store(port).client.delete_object(Bucket="bucket", Key="key"),
    "a read": _get,
    "a write": _write,
    "a probe": _probe,
    "TLS": _tls_probe,
    "a hook": _hook,
    "a mail": _mail,
    "an advisory": _advisory,
    "an HTTPS collector": _https_collector,
    "a syslog collector": _syslog_collector,
    "a syslog collector with TLS": _tls_syslog_collector,
}


@pytest.mark.sampled(3, by="call")
@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("call", CALLS)
def test_a_slow_stranger_holds_nobody(
    stranger: Callable[[str], int], monkeypatch: pytest.MonkeyPatch, call: str, name: str
) -> None:
    port = stranger(name)
    monkeypatch.setattr(public_address, "PORTS", {port})
    monkeypatch.setattr(public_address, "is_public", lambda address: True)
    monkeypatch.setattr(public_address, "SECONDS", SECONDS)
    monkeypatch.setattr(smtp, "SECONDS", SECONDS)
    monkeypatch.setattr(collector, "SECONDS", SECONDS)
    monkeypatch.setattr(advisories, "SECONDS", SECONDS)
    monkeypatch.setattr(advisories, "OSV", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(base, "LOOK_SECONDS", SECONDS)
    monkeypatch.setattr(base, "TRANSFER_SECONDS", SECONDS)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    began = time.monotonic()

    with pytest.raises((ProviderError, OSError)):
        CALLS[call](port)

    assert time.monotonic() - began < SECONDS + 1.5


def test_each_client_of_a_bucket_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shared one, the reaper's and the one of django-storages."""
    address = parse("s3://bucket/p?endpoint=http://127.0.0.1:9")

    for made in (s3_client.client(address), s3_client.client(address, "key", "secret"), BackupS3Storage(address.url)):
        client: Any = made.connection.meta.client if isinstance(made, BackupS3Storage) else made
        pools = client._endpoint.http_session._manager.pool_classes_by_scheme
        assert all(issubclass(pool.ConnectionCls, Watched) for pool in pools.values())


def test_a_resolver_that_does_not_answer_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [over.wait(30)][:0])
    began = time.monotonic()

    with pytest.raises(ProviderError, match="P did not answer GET /"):
        JsonClient("P", "https://slow.example", "t", timeout=(5, 5), deadline=SECONDS).get("/")

    over.set()
    assert time.monotonic() - began < SECONDS + 1.5


def test_a_body_cut_by_the_deadline_is_no_answer(stranger: Callable[[str], int]) -> None:
    """Without a length its end looks like the end of the connection."""
    with pytest.raises(ProviderError):
        _get(stranger("a body without a length"))


def test_no_connection_without_a_deadline() -> None:
    with pytest.raises(RuntimeError, match="needs a deadline"):
        deadline.current()


SPEAKS = {
    "ledger/channel.py socket": "the machine's own name",
    "operations/doctor/people.py smtplib": "names its errors",
    "operations/engine/tick.py socket": "the machine's own name",
    "operations/worker/django_q.py socket": "the machine's own name",
    "operations/worker/supervisor.py socket": "the machine's own name",
    "providers/advisories.py requests": "transport.exchange",
    "providers/collector.py requests": "transport.exchange",
    "providers/collector.py socket": "deadline.within",
    "providers/collector.py ssl": "deadline.within",
    "providers/embedded_postgres/cluster.py socket": "a free port of this machine",
    "providers/http/api_client.py requests": "transport.exchange",
    "providers/http/api_client.py ssl": "names its errors",
    "providers/http/api_client.py urllib3": "names its errors",
    "providers/http/deadline.py socket": "the deadline itself",
    "providers/http/health_probe.py http.client": "deadline.within",
    "providers/http/health_probe.py socket": "deadline.within",
    "providers/http/health_probe.py ssl": "deadline.within",
    "providers/http/public_address.py requests": "transport.exchange",
    "providers/http/smtp.py smtplib": "deadline.within",
    "providers/http/smtp.py socket": "deadline.within",
    "providers/http/transport.py requests": "deadline.within",
    "providers/http/transport.py socket": "a type",
    "providers/http/transport.py urllib3": "deadline.within",
    "providers/notify.py smtplib": "names its errors",
    "providers/storage/s3_client.py boto3": "s3_deadline.bound",
    "providers/storage/s3_client.py botocore": "s3_deadline.bound",
    "providers/storage/s3_deadline.py botocore": "deadline.within",
    "providers/supabase/client.py requests": "a type",
    "sampelit_ops/demo/child_processes.py socket": "a port of this machine, in the demo",
    "sampelit_ops/demo/launcher.py socket": "a port of this machine, in the demo",
    "sampelit_ops/web/deadline_worker.py socket": "who calls us",
}
_IMPORT = re.compile(
    r"^\s*(?:from|import) (requests|urllib3|http\.client|urllib\.request|socket|ssl|smtplib|ftplib|imaplib|poplib|"
    r"telnetlib|boto3|botocore|httpx|aiohttp|websockets?|paramiko|xmlrpc|asyncio)\b",
    re.M,
)


def test_nothing_else_speaks_to_the_outside() -> None:
    """git is a child with a time of its own (tests/providers/test_git_sources.py), databases have connect_timeout."""
    found = {
        f"{path.relative_to(ROOT).as_posix()} {name}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for name in _IMPORT.findall(path.read_text())
    }

    assert found == set(SPEAKS)
