"""Which door an entry says it came through."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings

from ledger import channel
from ledger.services import record
from tests import portal_database


@pytest.fixture
def fresh() -> Iterator[None]:
    channel.current.cache_clear()
    yield
    channel._said.clear()
    channel.current.cache_clear()


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["manage.py", "run_worker", "--pool", "prove"], "worker"),
        (["/srv/manage.py", "qcluster"], "worker"),
        (["manage.py", "tick"], "worker"),
        (["manage.py", "ops", "list"], "shell"),
        (["/venv/lib/gunicorn/__main__.py", "sampelit_ops.wsgi"], "shell"),  # until the application is loaded
        ([], "shell"),
    ],
)
def test_the_command_line_tells(
    fresh: None, argv: list[str], name: str, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    monkeypatch.setattr(sys, "argv", argv)

    assert record("demo.told", actor="olga").channel == name


def test_what_a_process_says_of_itself_counts(fresh: None, db: None) -> None:
    channel.use("admin")

    assert record("demo.told", actor="olga").channel == "admin"


def test_whatever_serves_the_application_is_the_admin() -> None:
    code = "import sampelit_ops.wsgi; from ledger import channel; print(channel.current().name)"

    served = {**os.environ, "DATABASE_URL": portal_database.server.dsn("postgres")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=settings.BASE_DIR, env=served, capture_output=True, text=True
    )

    assert done.stdout.strip() == "admin", done.stderr
