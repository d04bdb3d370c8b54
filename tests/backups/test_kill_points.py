"""kill -9 before and after each kind of call that an export, a proof, a restore and a sweep make to the store.

In: 20 named points. Out: what is listed as a run restores equal, what was not finished is not listed, and a second
attempt ends well. A seeded sample; SOAK=1 walks all points.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from backups.archive.reader import load, runs
from backups.export.exporter import ExportPlan, export
from backups.proof.prove import prove, store_proof
from backups.restore.into_empty import Target, restore
from backups.stores.orphans import sweep
from operations.models.ulid import new_ulid
from providers.storage.base import Store
from providers.storage.factory import open_store
from tests import sampling
from tests.backups.conftest import AUDIT
from tests.backups.test_faults import SEED, believed

POINTS = [
    *(("export", "put", kind, when) for kind in ("segment", "schema", "manifest") for when in ("before", "after")),
    *(("export", "head", "manifest", when) for when in ("before", "after")),
    *(("proof", "get", "segment", when) for when in ("before", "after")),
    *(("proof", "put", "proof", when) for when in ("before", "after")),
    *(("restore", "get", kind, when) for kind in ("manifest", "segment") for when in ("before", "after")),
    *(("sweep", "delete", "segment", when) for when in ("before", "after")),
    *(("sweep", "head", "manifest", when) for when in ("before", "after")),
]


def kind_of(key: str) -> str:
    name = key.rsplit("/", 1)[-1]
    return next((kind for kind in ("manifest", "proof", "schema") if name.startswith(kind)), "segment")


@dataclass
class Deadly:
    """A store that kills its process at one named point."""

    inner: Store
    verb: str
    kind: str
    when: str

    @property
    def url(self) -> str:
        return self.inner.url

    def _do(self, verb: str, key: str, act: Callable):
        here = (verb, kind_of(key)) == (self.verb, self.kind)
        if here and self.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = act()
        if here:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    def put_once(self, key: str, data: bytes):
        return self._do("put", key, lambda: self.inner.put_once(key, data))

    def get(self, key: str) -> bytes:
        return self._do("get", key, lambda: self.inner.get(key))

    def head(self, key: str):
        return self._do("head", key, lambda: self.inner.head(key))

    def delete(self, key: str) -> None:
        self._do("delete", key, lambda: self.inner.delete(key))

    def list(self, prefix: str = "") -> Iterator:
        return self.inner.list(prefix)

    def folders(self, prefix: str) -> Iterator[str]:
        return self.inner.folders(prefix)

    def retention_of(self, key: str):
        return self.inner.retention_of(key)


def killed(act: Callable[[], object]) -> bool:
    """Whether the child that ran `act` died by SIGKILL."""
    pid = os.fork()
    if not pid:
        try:
            act()
        finally:
            os._exit(0)
    return os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL


def chosen() -> list[tuple[str, str, str, str]]:
    if sampling.WHOLE:
        return POINTS
    chance = random.Random(SEED)
    by_act = {act: [point for point in POINTS if point[0] == act] for act, *_ in POINTS}
    return [chance.choice(points) for points in by_act.values()]


@pytest.mark.parametrize("point", chosen(), ids=" ".join)
def test_a_killed_process_leaves_nothing_that_looks_like_a_backup(
    sampelit, tmp_path: Path, drill, empty_database: str, point: tuple[str, str, str, str]
) -> None:
    act, store = point[0], open_store(f"file://{tmp_path}/store")
    deadly, run, later = Deadly(store, *point[1:]), new_ulid(), datetime.now(UTC) + timedelta(days=3)

    def copy(where, fence: int = 1) -> object:
        return export(AUDIT, ExportPlan(run, sampelit["export"], where, fence=fence))

    if act != "export":
        copy(store)
        store.put_once("runs/01ORPHAN/1/000-x/0.csv.zst", b"left by an attempt that died")
    acts = {
        "export": lambda: copy(deadly),
        "proof": lambda: store_proof(deadly, prove(load(store, run, None), deadly, server=drill), None),
        "restore": lambda: restore(load(deadly, run, None), deadly, (), Target(empty_database)),
        "sweep": lambda: sweep(deadly, later),
    }
    assert killed(acts[act])

    with psycopg.connect(empty_database) as target:
        assert target.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
    listed = {item.run for item in runs(store, None)}
    assert listed == ({run} if act != "export" or point[1:] == ("put", "manifest", "after") else set())
    copy(store, fence=2)
    sweep(store, later)
    assert sweep(store, later) == []
    assert believed(store, drill) == {run: "proven"}
