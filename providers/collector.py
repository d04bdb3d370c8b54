"""An outside collector of log lines: syslog over TCP or TLS (RFC 5424, 6587, 5425), or HTTPS with JSON lines.

In: an address, messages in order. Out: nothing once the other side has read them all, else ProviderError; then all of
them are sent again. Syslog has no answer, so each batch is a connection that the collector itself must end.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests

from providers.errors import ProviderError, Refused
from providers.http.deadline import connected, within
from providers.http.transport import exchange, new_session

PORTS = {"syslog+tls": 6514, "syslog+tcp": 601, "https": 443, "http": 80}
SECONDS = 15.0
MOST_BYTES = 65_536  # of an answer that nobody reads
_PLAIN = {"syslog+tcp", "http"}


@dataclass(frozen=True)
class Collector:
    """`token` is the bearer token of an HTTPS collector, `authority` a file with the certificates to trust."""

    scheme: str
    host: str
    port: int
    path: str = "/"
    token: str = ""
    authority: str = ""

    def deliver(self, messages: Sequence[bytes]) -> None:
        """Raises ProviderError unless all of them were read by the other side."""
        try:
            (self._post if self.scheme.startswith("http") else self._syslog)(messages)
        except (OSError, requests.RequestException) as error:
            raise ProviderError(
                f"The collector {self.host}:{self.port} did not take the lines ({type(error).__name__}). They are kept "
                "and sent again; check that it runs and that its certificate is valid.",
                True,
            ) from None

    def _post(self, lines: Sequence[bytes]) -> None:
        headers = {"Content-Type": "application/x-ndjson", "User-Agent": "sampelit-ops"}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        url = f"{self.scheme}://{self._netloc()}{self.path}"
        sent = {"data": b"\n".join(lines) + b"\n", "headers": headers, "verify": self.authority or True}
        with new_session() as session:
            answer, _ = exchange(session, "POST", url, seconds=SECONDS, most_bytes=MOST_BYTES, **sent)
        if not 200 <= answer.status_code < 300:
            raise ProviderError(
                f"The collector {self.host} answered {answer.status_code}. The lines are kept and sent again; "
                "check its address and OPS_LEDGER_COLLECTOR_TOKEN.",
                True,
            )

    def _syslog(self, messages: Sequence[bytes]) -> None:
        """Octet counting (RFC 6587 3.4.1); the collector reads to our end and then ends its side."""
        with within(SECONDS) as deadline, connected(self.host, self.port) as plain:
            plain.settimeout(deadline.left())
            if self.scheme != "syslog+tls":
                plain.sendall(_framed(messages))
                return _ended_by_other_side(plain)
            context = ssl.create_default_context(cafile=self.authority or None)
            with context.wrap_socket(plain, server_hostname=self.host) as secure:
                secure.sendall(_framed(messages))
                try:
                    _ended_by_other_side(secure.unwrap())
                except ssl.SSLEOFError:
                    pass  # it ended its side without TLS's farewell (RFC 8446 6.1), as some do

    def _netloc(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _framed(messages: Sequence[bytes]) -> bytes:
    return b"".join(b"%d %b" % (len(message), message) for message in messages)


def _ended_by_other_side(connection: socket.socket) -> None:
    """Whoever dies with unread lines resets the connection; its orderly end comes after it read ours."""
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(4096):
        pass


def at(url: str, token: str = "", authority: str = "") -> Collector:
    """The collector at an address. Raises Refused for one that would send the ledger in clear over a network."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", PORTS[parts.scheme] if parts.port is None else parts.port
    except (ValueError, KeyError):
        host, port = "", 0
    if not host or parts.scheme not in PORTS or parts.username or parts.query or parts.fragment:
        raise Refused(
            "OPS_LEDGER_COLLECTOR is no syslog+tls://host:port, syslog+tcp://host:port or https://host/path. "
            "Nothing was sent; a token goes into OPS_LEDGER_COLLECTOR_TOKEN."
        )
    if parts.scheme in _PLAIN and not _loopback(host):
        raise Refused(
            f"OPS_LEDGER_COLLECTOR would send the ledger to {host} in clear. Nothing was sent; use syslog+tls or "
            "https, or a relay on this machine."
        )
    return Collector(parts.scheme, host, port, parts.path or "/", token, authority)


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
