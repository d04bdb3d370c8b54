"""Real collectors on this machine: syslog over TCP and TLS with octet counting, and HTTPS; they die and come back."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(directory: Path) -> Path:
    """A key and its own certificate for 127.0.0.1, in one file."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "collector")]),
    )
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = directory / "collector.pem"
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return file


class Syslog:
    """Keeps each framed message. `dies_after` messages it drops the connection with what is unread."""

    def __init__(self, pem: Path | None = None, port: int = 0) -> None:
        self.pem, self.port, self.kept = pem, port, list[str]()
        self.dies_after: int | None = None
        self.start()

    def start(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, args=[self.listener], daemon=True).start()

    def stop(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    @property
    def url(self) -> str:
        return f"syslog+{'tls' if self.pem else 'tcp'}://127.0.0.1:{self.port}"

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                self._one(connection)
            except OSError:
                connection.close()

    def _one(self, plain: socket.socket) -> None:
        connection = plain
        if self.pem:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.pem)
            connection = context.wrap_socket(plain, server_side=True)
        with connection, connection.makefile("rb", buffering=0 if self.dies_after is not None else -1) as reader:
            self._read(connection, reader)

    def _read(self, connection: socket.socket, reader: Any) -> None:
        while size := self._size(reader):
            if self.dies_after is not None and len(self.kept) >= self.dies_after:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                return  # an abortive end: what was not read is lost
            message = b""
            while len(message) < size:
                message += reader.read(size - len(message))
            self.kept.append(message.decode())
        if self.pem:
            connection.unwrap()  # type: ignore[attr-defined]

    def _size(self, reader: Any) -> int:
        digits = b""
        while (character := reader.read(1)) not in (b"", b" "):
            digits += character
        return int(digits or 0)


class Https:
    """Keeps the lines of each POST; answers with `status`."""

    def __init__(self, pem: Path, token: str) -> None:
        self.kept, self.status, self.pem, self.token = list[str](), 200, pem, token
        self.port = 0
        self.start()

    def start(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                known = self.headers["Authorization"] == f"Bearer {outer.token}"
                status = outer.status if known else 401
                if status == 200:
                    outer.kept.extend(body.splitlines())
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", outer.url)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/ledger"
