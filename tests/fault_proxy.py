"""A proxy on loopback between the portal and the sandbox of Render that cuts, garbles, limits, delays and fails.

In: the address it stands before, a seeded chance, how often a read and a write is hit. Out: an address; `writes`, each
request that could have had an effect, and `faults`, what was done to which.
"""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

REFUSED = ("429", "429 without a time")  # the other side says that nothing was done
BEFORE = ("cut", "reset", "500 before", "502 page", *REFUSED)  # the request does not reach Render
AFTER = ("lost", "half", "garbled", "empty", "500 after", "other shape", "late")  # it does, its answer does not come
KINDS = (*BEFORE, *AFTER)
PAGE = b"<html><h1>Bad gateway</h1></html>"
LATE_SECONDS = 0.3


class FaultProxy:
    def __init__(self, target: str, chance: random.Random, *, reads: float, writes: float) -> None:
        self.target, self.chance, self.share = urlsplit(target), chance, {"GET": reads}
        self.of_writes, self.on = writes, True
        self.writes: list[str] = []
        self.faults: list[str] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{self.target.path}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fault(self, method: str, path: str) -> str:
        """What happens to this request; empty: nothing."""
        with self._lock:
            hit = self.on and self.chance.random() < self.share.get(method, self.of_writes)
            kind = self.chance.choice(KINDS) if hit else ""
            if kind:
                self.faults.append(f"{kind}: {method} {path}")
            if method != "GET" and kind not in REFUSED:
                self.writes.append(f"{method} {path}")
        return kind

    def forward(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(str(self.target.hostname), self.target.port, timeout=10)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


def _handler(proxy: FaultProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kind = proxy.fault(self.command, self.path.partition("?")[0])
            if kind in BEFORE:
                return self.refuse(kind)
            kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            status, headers, content = proxy.forward(self.command, self.path, body, kept)
            return self.spoil(kind, status, headers, content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

        def refuse(self, kind: str) -> None:
            if kind in ("cut", "reset"):
                return self.hang_up(abruptly=kind == "reset")
            if kind == "502 page":
                return self.reply(502, PAGE, "text/html")
            times = {"Retry-After": "1"} if kind == "429" else {}
            return self.reply(int(kind[:3]), b'{"message": "injected"}', **times)

        def spoil(self, kind: str, status: int, headers: dict[str, str], content: bytes) -> None:
            if kind in ("lost", "half"):
                return self.hang_up(content if kind == "half" else b"")
            if kind == "late":
                time.sleep(LATE_SECONDS)
            odd = {
                "garbled": (status, b"\x00{]" + content[:7]),
                "empty": (202, b""),
                "500 after": (500, b'{"message": "injected"}'),
                "other shape": (status, b'{"data": {"nothing": null}}'),
            }
            status, content = odd.get(kind, (status, content))
            limits = {name: value for name, value in headers.items() if name.lower().startswith("ratelimit")}
            return self.reply(status, content, **limits)

        def hang_up(self, begun: bytes = b"", *, abruptly: bool = False) -> None:
            if begun:
                self.send_response(200)
                self.send_header("Content-Length", str(len(begun)))
                self.end_headers()
                self.wfile.write(begun[: len(begun) // 2])
            if abruptly:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()

        def reply(self, status: int, content: bytes, kind: str = "application/json", **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    return Handler
