"""How gunicorn serves the portal, in the demo and on Render (`gunicorn --config python:sampelit_ops.gunicorn_conf`).

Out: settings by gunicorn's own names (docs.gunicorn.org, Settings). bin/web and the launcher add the address.
"""

from __future__ import annotations

import ipaddress
import sys

import environ
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from providers import memory
from providers.redact import RedactingFilter
from providers.secret_environment import conceal as _conceal
from sampelit_ops.logging import JsonFormatter


class JsonLogger(Logger):
    """gunicorn's own lines in the shape of all others: one JSON object a line, secrets redacted."""

    def _set_handler(self, *args: object, **options: object) -> None:
        super()._set_handler(*args, **options)
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(JsonFormatter())
                handler.addFilter(RedactingFilter())


worker_class = "sampelit_ops.web.deadline_worker.DeadlineWorker"
threads = 8
limit_request_fields = (
    50  # a head that does not end is searched anew with each piece: half of them, a quarter of the cost
)
preload_app = True  # one copy of the code for all workers: 77 MB less
control_socket_disable = True
logger_class = JsonLogger
access_log_format = "%(m)s %(U)s %(s)s %(B)s bytes %(M)s ms request %({x-request-id}o)s"


def on_starting(server: Arbiter) -> None:
    """In the master, before it forks: no key stays to be read in it, and its memory is used frugally.

    A demo is bound to loopback only: what the Host header names is the client's own word.
    """
    outside = [str(address) for address in server.address if not _local(address)]
    if environ.Env().bool("DEMO", default=False) and outside:
        print(f"DEMO=1 on an address that others reach, {outside[0]}. Nothing was started.", file=sys.stderr)
        raise SystemExit(3)
    _conceal()
    memory.frugal()


def when_ready(server: Arbiter) -> None:
    """Before the forks: what is loaded by now stays shared."""
    memory.settle()


def _local(address: str | tuple[str, int]) -> bool:
    return isinstance(address, str) or ipaddress.ip_address(address[0]).is_loopback
