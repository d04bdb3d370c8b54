"""A product that lies in wait, its export, and what a drill of it saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from backups.archive.loader import Loader
from backups.archive.manifest import Segment, Table
from backups.policy_spec import PolicySpec
from backups.progress import Watch
from backups.proof.prove import Verdict, prove
from providers.storage.base import Store
from tests.backups.cell.escapes import ESCAPES
from tests.backups.conftest import exported

CANARY = "canary-7f3a91"
LURKING = (Path(__file__).parent / "lurking.sql").read_text()


@dataclass
class Seen:
    """What came out of a drill: its verdict, its log, and what its database held at the end."""

    verdict: Verdict | None = None
    log: list[str] = field(default_factory=list)
    loot: list[str] = field(default_factory=list)
    tried: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def told(self) -> str:
        return repr(self.verdict) + "\n".join(self.log)


Drilled = Callable[..., Seen]
FACTS = {
    "superusers": "SELECT array_agg(rolname::text) FROM pg_roles WHERE rolsuper AND rolcanlogin",
    "who": "SELECT session_user::text",
    "mighty": "SELECT bool_or(rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication) FROM pg_roles"
    " WHERE pg_has_role(current_user, oid, 'MEMBER')",
    "addresses": "SELECT current_setting('listen_addresses')",
    "servers": "SELECT count(*) FROM pg_foreign_data_wrapper",
}


@pytest.fixture
def readable(tmp_path: Path) -> Path:
    """A file that every account may read."""
    file = tmp_path / "readable"
    file.write_text(CANARY)
    for place in (file, *list(file.parents)[:3]):
        place.chmod(0o755)
    return file


@pytest.fixture
def written() -> Path:
    """A file that does not exist, where every account may write."""
    return Path("/tmp") / f"escaped-{uuid4().hex}"


@pytest.fixture
def lurking(empty_database: str, readable: Path, written: Path) -> str:
    """The DSN of the product."""
    ways = [(name, way.replace("FILE", str(readable)).replace("NEW", str(written))) for name, way in ESCAPES.items()]
    with psycopg.connect(empty_database) as connection:
        connection.execute(LURKING)
        connection.cursor().executemany("INSERT INTO public.ways VALUES (%s, %s)", ways)
    return empty_database


@pytest.fixture
def drilled(store: Store, drill, monkeypatch: pytest.MonkeyPatch) -> Drilled:
    """Export everything of a database and prove it; what the drill held is noted before rows are compared."""

    def drilled(dsn: str, server=drill) -> Seen:
        seen, compare = Seen(), Loader.compare

        def looked(loader: Loader, table: Table, loads: dict[str, Segment]) -> None:
            if not seen.facts:
                look(loader, seen)
            compare(loader, table, loads)

        monkeypatch.setattr(Loader, "compare", looked)
        manifest = exported(dsn, store, PolicySpec("all", "production", ("*",)))
        seen.verdict = prove(manifest, store, server=server, watch=Watch(log=seen.log.append))
        return seen

    return drilled


def look(loader: Loader, seen: Seen) -> None:
    execute = loader.connection.execute
    seen.facts = {name: execute(query).fetchone()[0] for name, query in FACTS.items()}  # type: ignore[index]
    if execute("SELECT to_regclass('public.loot') IS NOT NULL").fetchone() == (True,):
        seen.loot = [name for (name,) in execute("SELECT name FROM public.loot WHERE name <> 'nothing'")]
        seen.tried = execute("SELECT last_value FROM public.tried").fetchone()[0]  # type: ignore[index]
