"""A tiny JSON server for the stand-ins. In: a function of one request. Out: a running server on 127.0.0.1."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        """The JSON body; None where there is none or it is no JSON."""
        try:
            return json.loads(self.content) if self.content else None
        except ValueError:
            return None


@dataclass(frozen=True)
class Response:
    """`body` None sends nothing at all, as many answers of the real APIs do; bytes are sent as they are."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def serve(answer: Callable[[Request], Response], port: int = 0) -> ThreadingHTTPServer:
    """Serve `answer` in a thread until `shutdown()`; port 0 takes a free one, see `base_url`."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(answer))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    return server


def base_url(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


def _handler(answer: Callable[[Request], Response]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            url = urlsplit(self.path)
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = parse_qs(url.query, keep_blank_values=True)
            response = answer(Request(self.command, url.path, query, dict(self.headers.items()), content))
            raw, empty = isinstance(response.body, bytes), response.body is None
            payload = response.body if raw else b"" if empty else json.dumps(response.body).encode()
            kind = "application/octet-stream" if raw else "application/json"
            self.send_response(response.status)
            for name, value in ({"Content-Type": kind} | dict(response.headers)).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _any  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Silence: the command's output is its NAME=value lines."""

    return Handler
