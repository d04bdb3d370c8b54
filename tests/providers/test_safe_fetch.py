"""The SSRF guard: hostile addresses never lead to a connection, a public one is called under its own name."""

from __future__ import annotations

import http.server
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from providers.errors import ProviderError, Refused
from providers.http import public_address

HOSTILE = [
    *(
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com",
        "example.com",
        "",
        "https://",
    ),
    *("https://user@example.com/", "https://user:pw@example.com/", "https://example.com@127.0.0.1/"),
    *("https://example.com:22/", "https://example.com:80/", "https://example.com:99999/", "https://example.com:x/"),
    *("https://127.0.0.1/", "https://127.1/", "https://0.0.0.0/", "https://0/", "https://localhost/"),
    *("https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.0.0.1./"),
    *(
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://169.254.169.254/",
    ),
    *(
        "https://192.0.2.1/",
        "https://198.18.0.1/",
        "https://224.0.0.1/",
        "https://240.0.0.1/",
        "https://255.255.255.255/",
    ),
    *("https://[::1]/", "https://[::]/", "https://[fe80::1]/", "https://[fc00::1]/", "https://[ff02::1]/"),
    *(
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
    ),
    *("https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", "https://[::127.0.0.1]/", "https://[fd00:ec2::254]/"),
]


@pytest.mark.parametrize("url", HOSTILE)
def test_hostile_addresses_are_never_connected_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: connected.append(address))

    with pytest.raises((Refused, ProviderError)):
        public_address.post(url, b"{}", {})

    assert connected == []


def _resolving(*addresses: str) -> object:
    return lambda host, port, **_: [(2, 1, 6, "", (address, port)) for address in addresses]


def test_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _resolving("93.184.216.34", "10.0.0.5"))

    with pytest.raises(Refused, match=r"10\.0\.0\.5"):
        public_address.check("https://example.com/")


def test_a_public_address_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _resolving("93.184.216.34"))

    assert public_address.check("https://example.com/hook?x=1").address == "93.184.216.34"


class _Listener(http.server.BaseHTTPRequestHandler):
    def __init__(self, seen: list[tuple[str, str, bytes]], *args: object) -> None:
        self.seen = seen
        super().__init__(*args)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.headers["Host"], self.path, body))
        self.send_response({"/moved": 302, "/down": 503, "/gone": 404}.get(self.path, 200))
        self.send_header("Location", "https://hook.example/ok")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def _certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(private + pem)
    return path


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, list[tuple[str, str, bytes]]]]:
    """A TLS server that is hook.example and that the guard takes for public."""
    certificate = _certificate(tmp_path, "hook.example")
    seen: list[tuple[str, str, bytes]] = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Listener, seen))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    real_session = requests.Session

    def trusting() -> requests.Session:
        session = real_session()
        session.verify = str(certificate)
        return session

    monkeypatch.setattr(public_address.requests, "Session", trusting)
    monkeypatch.setattr(public_address, "PORTS", {port})
    monkeypatch.setattr(public_address, "is_public", lambda address: ipaddress.ip_address(address).is_loopback)
    monkeypatch.setattr(public_address, "_resolve", lambda host, port: ["127.0.0.1"])
    yield port, seen
    server.shutdown()
    server.server_close()


def test_the_checked_address_is_called_under_its_own_name(
    listener: tuple[int, list[tuple[str, str, bytes]]],
) -> None:
    port, seen = listener

    assert public_address.post(f"https://hook.example:{port}/ok?a=1", b"body", {}) == 200
    assert seen == [(f"hook.example:{port}", "/ok?a=1", b"body")]


def test_another_name_than_the_certificates_is_not_trusted(
    listener: tuple[int, list[tuple[str, str, bytes]]],
) -> None:
    port, seen = listener

    with pytest.raises(ProviderError, match="SSLError"):
        public_address.post(f"https://other.example:{port}/ok", b"", {})

    assert seen == []


@pytest.mark.parametrize(("path", "retryable"), [("moved", False), ("down", True), ("gone", False)])
def test_other_answers(listener: tuple[int, list[tuple[str, str, bytes]]], path: str, retryable: bool) -> None:
    port, seen = listener

    with pytest.raises(ProviderError) as failed:
        public_address.post(f"https://hook.example:{port}/{path}", b"", {})

    assert failed.value.retryable is retryable
    assert len(seen) == 1


def test_nobody_listening(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(public_address, "PORTS", {port})
    monkeypatch.setattr(public_address, "is_public", lambda address: True)

    with pytest.raises(ProviderError, match="did not answer"):
        public_address.post(f"https://127.0.0.1:{port}/", b"", {})
