"""The portal's database is migrated once for a state of its sources and kept as a dump; later sessions load that.

In: sources of apps and migrations. Out: a template that Django's test database is copied from; `migrate` then finds
nothing to do. Migrating takes ten seconds of processor time in each process of a run, loading half a second.
"""

from __future__ import annotations

import fcntl
import subprocess
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.db import connections

from providers.embedded_postgres.install import bin_dir
from tests import portal_database

NAME = "portal_template"
KEPT = Path(settings.BASE_DIR) / ".data" / "test-databases"
SOURCES = (
    "*/migrations/**/*",
    "*/models/*.py",
    "*/models.py",
    "*/sql/**/*.sql",
    "*/*/migrations/**/*",
    "requirements.txt",
)
_locks = ExitStack()


def key() -> str:
    """Of whatever decides what `migrate` makes; bytecode apart."""
    root = Path(settings.BASE_DIR)
    files = {path for pattern in SOURCES for path in root.glob(pattern) if path.suffix in (".py", ".sql", ".txt")}
    digest = sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def use() -> None:
    """Before the test database is made: copy it from the dump of these sources, if there is one.

    If there is none, other processes wait until `keep` has made it. A dump that does not load is thrown away.
    """
    KEPT.mkdir(parents=True, exist_ok=True)
    fcntl.flock(_lock := _locks.enter_context((KEPT / "lock").open("w")), fcntl.LOCK_EX)
    if load(NAME):
        connections["default"].settings_dict["TEST"]["TEMPLATE"] = NAME
        _locks.close()


def keep() -> None:
    """After the test database was made: dump it, unless it came from a dump. The dumps of other sources go."""
    if connections["default"].settings_dict["TEST"].get("TEMPLATE") == NAME:
        return
    new, name = _dump().with_suffix(".new"), str(connections["default"].settings_dict["NAME"])
    dumped = _run("pg_dump", "-Fc", "-Z1", "--file", new, portal_database.server.dsn(name))
    for older in KEPT.glob("*.dump"):
        older.unlink()
    if dumped:
        new.replace(_dump())
    _locks.close()


def _dump() -> Path:
    return KEPT / f"{key()}.dump"


def load(name: str) -> bool:
    """Make database `name` as `migrate` leaves it, from the dump; whether there was one that loads."""
    dump = _dump()
    if not dump.exists():
        return False
    portal_database.server.create_database(name)
    loaded = _run("pg_restore", "--exit-on-error", "--dbname", portal_database.server.dsn(name), dump)
    if not loaded:
        dump.unlink()
    return loaded


def _run(program: str, *arguments: str | Path) -> bool:
    return subprocess.run([bin_dir() / program, *arguments], capture_output=True).returncode == 0
