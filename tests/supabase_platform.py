"""A running Supabase stand-in over its own server, whose databases each test may spoil and restore."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import requests

from providers.embedded_postgres.server import EmbeddedPostgres
from providers.supabase import Supabase
from sandbox import database
from sandbox.refs import REFS
from sandbox.seed import UNTIL
from sandbox.supabase.dumps import dump
from sandbox.supabase.recovery import Recovery
from sandbox.supabase.server import SupabaseSandbox

REF, FREE = REFS["production"], REFS["staging"]
COUNT = "SELECT count(*) FROM algorithm_audit_trail"


@dataclass
class Platform:
    api: SupabaseSandbox
    client: Supabase
    server: EmbeddedPostgres

    def dsn(self, role: str = "admin") -> str:
        return database.dsns(self.server, "production")[role]

    def scalar(self, query: str = COUNT) -> int:
        with psycopg.connect(self.dsn()) as connection:
            row = connection.execute(query).fetchone()
        return row[0] if row else -1

    def change(self, statement: str) -> None:
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(statement)

    def control(self, method: str, path: str, body: object = None) -> None:
        requests.request(method, f"{self.api.base}/__sandbox__/{path}", json=body, timeout=30).raise_for_status()


@pytest.fixture(scope="session")
def platform_server() -> Iterator[tuple[EmbeddedPostgres, Recovery, Path]]:
    home = Path(os.environ["OPS_DATA_DIR"]) / "platform"
    recovery = Recovery(home)
    options = recovery.options() | {"fsync": "off", "full_page_writes": "off"}
    with EmbeddedPostgres(home / "postgres", options=options) as server:
        database.create(server, "production", rows=300, experiments=3)
        database.create(server, "staging", rows=20, experiments=1, seed=2)
        recovery.ensure_base(server)
        dump(server, "production", home / "seed.dump")
        yield server, recovery, home


@pytest.fixture
def platform(
    platform_server: tuple[EmbeddedPostgres, Recovery, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Platform]:
    server, recovery, home = platform_server
    (tmp_path / REF).mkdir()
    shutil.copy(home / "seed.dump", tmp_path / REF / "seed.dump")  # one dump for all tests
    names = {"production": "production", "staging": "staging"}
    api = SupabaseSandbox(server, tmp_path, recovery, names, UNTIL)
    yield Platform(api, Supabase(api.world.token, api.base, deadline=2), server)
    api.stop()
