"""The sandbox's HTTP server on loopback: `/v1/…` is Render's API, `/apps/…` the applications, `/__sandbox__/…` control.

One lock serialises every answer; a ticker moves deploys and sends webhooks when nobody asks.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sandbox.render import applications, control, lifecycle
from sandbox.render.api import config, deploys, edge, groups, observe, postgres, services, workspace
from sandbox.render.delivery import Deliveries
from sandbox.render.faults import Fault, Faults
from sandbox.render.limits import Limits, bucket
from sandbox.render.routing import Request, dispatch
from sandbox.render.seed import seed
from sandbox.render.world import ApiError, World, utc_now

API_MODULES = (config, deploys, edge, groups, observe, postgres, services, workspace)
Answer = tuple[int, dict[str, str], bytes]


class RenderSandbox:
    """A running sandbox. Use as a context manager, or `start()` and `stop()`."""

    def __init__(
        self,
        *,
        port: int = 0,
        api_key: str = "rnd_sandbox_0000000000000000",
        webhook_secret: str = "whsec_c2FuZGJveC1zZWNyZXQtc2FuZGJveC1zZWNyZXQ=",  # noqa: S107 - a made-up value
        clock: Callable[[], datetime] = utc_now,
        phases: dict[str, float] | None = None,
        state: Path | None = None,
        tick_seconds: float = 0.25,
    ) -> None:
        self.world = World(clock=clock, phases=phases, state=state)
        self.world.webhook_secret, self.api_key = webhook_secret, api_key
        self.faults, self.limits, self.calls = Faults(), Limits(), deque[str](maxlen=10_000)
        self.deliveries = Deliveries(self.world)
        self._tick_seconds, self._stopping = tick_seconds, threading.Event()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.sandbox = self
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self.world.base_url, self.base = self.address, f"{self.address}/v1"
        if not self.world.load():
            seed(self.world)

    def start(self) -> RenderSandbox:
        for work in (lambda: self._server.serve_forever(0.05), self._tick):
            threading.Thread(target=work, daemon=True).start()
        return self

    def stop(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> RenderSandbox:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    def state_of(self, name: str) -> tuple[str, str]:
        """What the named service's application does now: healthy, degraded or down, and its version."""
        with self.world.lock:
            lifecycle.settle(self.world)
            return applications.state(self.world, control.named(self.world, name))

    def _tick(self) -> None:
        while not self._stopping.wait(self._tick_seconds):
            with self.world.lock:
                lifecycle.settle(self.world)
            self.deliveries.pump()

    def answer(self, request: Request, authorization: str) -> Answer | Fault:
        """The whole answer to one request, or the fault that the connection is to suffer."""
        if request.path.startswith("/__sandbox__/"):
            return self._controlled(request)
        if request.path.startswith("/apps/"):
            with self.world.lock:
                lifecycle.settle(self.world)
                status, kind, body = applications.answer(self.world, request.path)
            return status, {"Content-Type": kind}, body
        if not request.path.startswith("/v1/"):
            return _json(404, {"message": "not found"})
        request.path = request.path[3:]
        return self._api(request, authorization)

    def _api(self, request: Request, authorization: str) -> Answer | Fault:
        self.calls.append(f"{request.method} {request.path}")
        with self.world.lock:
            allowed, headers = self.limits.count_request(bucket(request.method, request.path), self.world.now())
            if authorization != f"Bearer {self.api_key}":
                return _json(401, {"id": "err-key", "message": "unauthorized"}, headers)
            if not allowed:
                return _json(429, {"id": "err-rate", "message": "rate limit exceeded"}, headers)
            fault = self.faults.next_match(request.method, request.path)
            if fault and fault.kind.isdigit():
                return _json(int(fault.kind), {"id": "err-fault", "message": f"injected {fault.kind}"}, headers)
            if fault and fault.kind in ("hang", "cut"):
                return fault
            answer = self._carry_out(request, headers)
        return fault if fault and fault.kind == "lost" else (202, headers, b"") if fault else answer

    def _carry_out(self, request: Request, headers: dict[str, str]) -> Answer:
        try:
            lifecycle.settle(self.world)
            status, body = dispatch(self.world, request)
        except ApiError as error:
            return _json(error.status, {"id": "err-sandbox", "message": error.message}, headers)
        if request.method != "GET":
            self.world.save()
        return _json(status, body, headers)

    def _controlled(self, request: Request) -> Answer:
        with self.world.lock:
            try:
                lifecycle.settle(self.world)
                done = control.act(self, request.path.removeprefix("/__sandbox__/"), request.body)
                self.world.save()
            except ApiError as error:
                return _json(error.status, {"message": error.message})
        return _json(200, done)


def _json(status: int, body: Any, headers: dict[str, str] | None = None) -> Answer:
    content = b"" if body is None else json.dumps(body).encode()
    return status, {"Content-Type": "application/json"} | (headers or {}), content


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    sandbox: RenderSandbox


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the sandbox's output is its NAME=value lines."""

    def _handle(self) -> None:
        address = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(
            self.command,
            unquote(address.path),
            parse_qs(address.query, keep_blank_values=True),
            content,
            self.headers.get("Content-Type", ""),
        )
        answer = self.server.sandbox.answer(request, self.headers.get("Authorization", ""))
        if isinstance(answer, Fault):
            self._suffer(answer)
            return
        status, headers, body = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _suffer(self, fault: Fault) -> None:
        if fault.kind == "hang":
            time.sleep(fault.seconds)
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - http.server's names
