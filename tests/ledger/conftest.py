"""A short ledger, and a door past its triggers that only a database owner has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from ledger import registry
from ledger.models import Entry
from ledger.registry import Anchor
from ledger.services import record


@pytest.fixture
def entries(db: None) -> list[Entry]:
    return [
        record("demo.counted", actor=f"user{n % 3}", environment="production", subject=f"thing {n}", data={"n": n})
        for n in range(1, 31)
    ]


@pytest.fixture
def without_triggers(db: None) -> Callable[[], object]:
    @contextmanager
    def disabled() -> Iterator[None]:
        tables = ("ledger_entry", "ledger_head", "ledger_checkpoint")
        with connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            yield
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

    return disabled


@pytest.fixture
def anchored(monkeypatch: pytest.MonkeyPatch) -> Callable[[Entry], None]:
    """Write an entry's size and hash down as an outside anchor."""

    def anchor(entry: Entry) -> None:
        named = Anchor("manifest of run R1", entry.sequence, entry.sha256)
        monkeypatch.setattr(registry, "_anchor_sources", [*registry._anchor_sources, lambda: [named]])

    return anchor
