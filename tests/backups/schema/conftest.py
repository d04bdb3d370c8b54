"""Databases of one kind of object each, and the way a run of them goes: exported, proven, restored."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest

from providers.embedded_postgres.server import EmbeddedPostgres, bin_dir
from tests import portal_database


@pytest.fixture
def database() -> Iterator[Callable[[str], str]]:
    """Make a database from a text; answers its DSN. Roles that rights are given to are there."""
    with databases_on(portal_database.server) as make:
        yield make


@contextmanager
def databases_on(server: EmbeddedPostgres) -> Iterator[Callable[[str], str]]:
    names: list[str] = []

    def make(text: str) -> str:
        names.append(f"kind_{uuid4().hex[:12]}")
        server.create_database(names[-1])
        with psycopg.connect(server.dsn(names[-1]), autocommit=True) as connection:
            connection.execute("SELECT FROM pg_roles WHERE rolname = 'anon'")
            if connection.execute("SELECT FROM pg_roles WHERE rolname = 'anon'").fetchone() is None:
                connection.execute("CREATE ROLE anon")
            connection.execute(text)
        return server.dsn(names[-1])

    yield make
    for name in names:
        server.drop_database(name)


def dumped(dsn: str, *options: str, major: int = 0) -> list[str]:
    """What pg_dump says of a database, rows and all, in no order; line by line, so that a difference is short."""
    argv = [bin_dir(major) / "pg_dump", "--inserts", "--no-owner", *options, f"--dbname={dsn}"]
    said = subprocess.run([str(part) for part in argv], check=True, capture_output=True).stdout.decode()
    return sorted(line for line in said.splitlines() if line.strip() and not line.startswith(("--", "\\", "SET ")))
