"""How gunicorn serves the portal, in the demo and on Render (`gunicorn --config python:sampelit_ops.gunicorn_conf`).

Out: settings by gunicorn's own names (docs.gunicorn.org, Settings). bin/web and the launcher add the address.
"""

from __future__ import annotations

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

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


def on_starting(_: object) -> None:
    """In the master, before it forks the workers that load the application."""
    _conceal()


worker_class = "sampelit_ops.web.deadline_worker.DeadlineWorker"
threads = 8
control_socket_disable = True
logger_class = JsonLogger
access_log_format = "%(m)s %(U)s %(s)s %(B)s bytes %(M)s ms request %({x-request-id}o)s"
