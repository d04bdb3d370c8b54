"""A log line is one JSON object with the ids of its request and operation, and without secrets."""

from __future__ import annotations

import inspect
import io
import json
import logging
from collections.abc import Iterator

import pytest
from django.test import Client
from gunicorn.config import KNOWN_SETTINGS, Config

from operations.log_context import operating
from providers.redact import MASK, RedactingFilter
from sampelit_ops import gunicorn_conf
from sampelit_ops.logging import JsonFormatter, request_id

SECRET = "postgresql://ops:hunter2hunter2@db.example/ops"


@pytest.fixture
def lines() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("a.test")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield logger, stream
    logger.removeHandler(handler)


def test_a_line_names_its_operation_and_request(lines: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = lines
    token = request_id.set("request-1")

    with operating("01JD7"):
        logger.info("copied %s rows", 12)
    request_id.reset(token)
    logger.info("after")

    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["message"], first["operation_id"], first["request_id"]) == ("copied 12 rows", "01JD7", "request-1")
    assert "operation_id" not in second


def test_secrets_leave_neither_by_message_nor_by_traceback(lines: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = lines

    logger.info("connecting to %s", SECRET)
    try:
        raise ValueError(SECRET)
    except ValueError:
        logger.exception("failed")

    assert "hunter2" not in stream.getvalue()
    assert MASK in stream.getvalue()
    assert all(json.loads(line) for line in stream.getvalue().splitlines())


def test_nobody_forges_a_line(lines: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = lines

    logger.info("name: %s", 'x"}\n{"level": "error", "message": "forged')

    assert len(stream.getvalue().splitlines()) == 1


@pytest.mark.parametrize("given", ["short", "a b c d e f g h", "x" * 80, "<script>alert(1)</script>"])
def test_a_bad_request_id_is_replaced(client: Client, given: str) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": given})

    assert answer["X-Request-ID"] != given


def test_gunicorn_speaks_json_too() -> None:
    config, stream = Config(), io.StringIO()
    config.set("accesslog", "-")
    logger = gunicorn_conf.JsonLogger(config)
    for log in (logger.error_log, logger.access_log):
        log.handlers[0].setStream(stream)

    logger.info("Listening at: %s", SECRET)
    logger.access_log.info("GET /healthz 200")

    listening, access = map(json.loads, stream.getvalue().splitlines())
    assert (listening["logger"], access["message"]) == ("gunicorn.error", "GET /healthz 200")
    assert "hunter2" not in listening["message"]
    held = {name for name, value in vars(gunicorn_conf).items() if name.islower() and not inspect.ismodule(value)}
    ours = {name for name in held if not name.startswith("_")} - {"annotations"}
    assert ours <= {setting.name for setting in KNOWN_SETTINGS}
