"""The portal as gunicorn serves it, but what a request writes is rolled back: thousands leave the rows as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.core.signals import request_started
from django.db import close_old_connections, transaction

from sampelit_ops.wsgi import application as portal

request_started.disconnect(close_old_connections)  # it takes an open transaction for a forgotten one


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The answer as a whole: it is complete before the rows go back."""
    with transaction.atomic():
        answer = portal(environ, start_response)
        pieces = list(answer)
        transaction.set_rollback(True)
    answer.close()
    return pieces
