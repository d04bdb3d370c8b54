"""How `requests` speaks here: name, connection, TLS, head and body end after one deadline together.

In: a session whose adapters are ours, a request, its seconds and the most bytes of its answer. Out: the answer and its
body; or requests' errors and OSError. No redirects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from providers.http.deadline import current, opened, resolve, within

if TYPE_CHECKING:
    import socket

    from urllib3._base_connection import BaseHTTPConnection

_PIECE_BYTES = 16_384
READS = ("GET", "HEAD")


def exchange(
    session: requests.Session, method: str, url: str, *, seconds: float, most_bytes: int, **options: Any
) -> tuple[requests.Response, bytes]:
    """Send once and read to the end, or until more than `most_bytes` came. A write opens a connection of its own: one
    that was kept may have been ended by the other side just now, and whether the write arrived is not known then.

    `timeout` in the options bounds single waits inside of the total.
    """
    options = {"timeout": seconds, **options}
    with within(seconds) as deadline:
        deadline.may_reuse = method in READS
        with session.request(method, url, stream=True, allow_redirects=False, **options) as response:
            content = bytearray()
            for piece in response.iter_content(_PIECE_BYTES):
                content += piece
                if len(content) > most_bytes:
                    break
    return response, bytes(content)


def new_session() -> requests.Session:
    """One whose connections end with their exchange; neither a proxy nor a ~/.netrc of the machine comes between."""
    session = requests.Session()
    session.trust_env = False
    for scheme in ("https://", "http://"):
        session.mount(scheme, DeadlineAdapter())
    return session


class DeadlineAdapter(HTTPAdapter):
    """Connections that the deadline of their exchange ends; no retries."""

    def __init__(self) -> None:
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        _watch(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*args, **options)
        _watch(manager)
        return manager


class Watched(HTTPConnection):
    """A connection whose name, opening and further use end with the deadline of their exchange."""

    def _new_conn(self) -> socket.socket:
        timeout = self.timeout if isinstance(self.timeout, int | float) else None
        try:
            connection = opened(resolve(self._dns_host, self.port), self.port, timeout)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"no connection in time: {error}") from error
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, f"no connection: {error}") from error
        for option in self.socket_options or ():
            connection.setsockopt(*option)
        return connection

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is not None:  # kept open from an earlier exchange
            current().watch(self.sock)
        super().request(*args, **options)


class _WatchedTls(Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = Watched

    def _get_conn(self, timeout: float | None = None) -> BaseHTTPConnection:
        connection = super()._get_conn(timeout)
        if not current().may_reuse:
            connection.close()
        return connection


class _TlsPool(_Pool, HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


def _watch(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
