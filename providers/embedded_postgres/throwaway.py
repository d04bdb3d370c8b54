"""A server for the length of a block. In: which kind, its options. Out: the running server; its directory is removed.

Directories that killed processes of ours left behind are removed first.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from providers.embedded_postgres import cluster
from providers.embedded_postgres.install import data_home, make_open_directories
from providers.embedded_postgres.server import EmbeddedPostgres

NO_DURABILITY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
Embedded = TypeVar("Embedded", bound=EmbeddedPostgres)


@contextmanager
def throwaway_of(kind: Callable[..., Embedded], base: Path | None = None, **options: str) -> Iterator[Embedded]:
    """A server of that kind in `base` (default: the temporary directory), without durability."""
    home = data_home(base or Path(tempfile.gettempdir()))
    make_open_directories(home)
    cluster.sweep(home)
    directory = Path(tempfile.mkdtemp(prefix=f"sampelit-ops-pg-{os.getpid()}-", dir=home))
    server = kind(directory, options=NO_DURABILITY | options)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def throwaway(base: Path | None = None, **options: str) -> Iterator[EmbeddedPostgres]:
    """An ordinary one, at a random port of this machine."""
    with throwaway_of(EmbeddedPostgres, base, **options) as server:
        yield server
