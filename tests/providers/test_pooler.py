"""A pooler in transaction mode is told also while it is idle, and what we set on its backends is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from providers import postgres
from providers.postgres.preflight import _session_mode
from tests import portal_database


class Pool:
    """Backends that keep their settings; a statement gets the first that no open transaction holds."""

    def __init__(self, size: int) -> None:
        self.settings: list[dict[str, str]] = [{"search_path": "pg_catalog"} for _ in range(size)]
        self.held: set[int] = set()
        self.info = SimpleNamespace(port=5432)

    def execute(self, query: str, values: tuple[str, ...] | list[str] = ()) -> Any:
        backend = min(set(range(len(self.settings))) - self.held)
        if query == "RESET ALL":
            self.settings[backend].clear()
        elif values:
            self.settings[backend]["sampelit.probe"] = values[0]
        answer = (backend, self.settings[backend].get("sampelit.probe"))
        return SimpleNamespace(fetchone=lambda: answer)

    @contextmanager
    def another(self, connection: object) -> Iterator[None]:
        held = min(set(range(len(self.settings))) - self.held)
        self.held.add(held)
        yield
        self.held.remove(held)


@pytest.mark.parametrize("size", [2, 5])
def test_an_idle_pool_is_told_and_left_as_it_was(size: int) -> None:
    pool = Pool(size)

    assert not _session_mode(pool, pool.another)  # type: ignore[arg-type]
    assert pool.settings[:2] == [{}, {}]


def test_a_server_itself_is_a_session() -> None:
    with postgres.connect(portal_database.server.dsn("postgres")) as connection:
        before = connection.execute("SHOW search_path").fetchone()

        assert postgres.facts(connection).session_mode
        assert connection.execute("SHOW search_path").fetchone() == before
