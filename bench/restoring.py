"""A restore into a new database of the same server, against pg_restore -j2 and against django-dbbackup.

In: the bench's server and its database's DSNs, a directory. Out: cases. Each side restores what it stored
itself: all tables of the database, in the formats of a run by default (the audit set as CSV) or all binary.
django-dbbackup counts where it can be imported (`pip install --target DIR django-dbbackup`, PYTHONPATH=DIR): it is no
requirement of this project.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from uuid import uuid4

from backups.archive.manifest import Manifest
from backups.export.exporter import ExportPlan, export
from backups.policy_spec import PolicySpec
from backups.restore.into_empty import Target, restore
from bench import measures
from bench.data import peer_environment
from bench.ours import Took, cpu_seconds, directory
from bench.peers import shell
from providers.embedded_postgres.install import bin_dir
from providers.embedded_postgres.server import EmbeddedPostgres
from providers.storage.base import Store
from providers.storage.factory import open_store

DBBACKUP = """
import os, sys
import django
from django.conf import settings
from django.core.management import call_command
name, folder, *command = sys.argv[1:]
settings.configure(
    INSTALLED_APPS=["dbbackup"], USE_TZ=True, SECRET_KEY="bench",
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": name, "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"], "USER": os.environ["PGUSER"], "PASSWORD": os.environ["PGPASSWORD"]}},
    STORAGES={"dbbackup": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder}}},
)
django.setup()
call_command(*command)
"""


@dataclass(frozen=True)
class Sides:
    """Who restores; what each restores from is made once. `admin`: the environment of the peers' commands."""

    server: EmbeddedPostgres
    admin: dict[str, str]
    folder: Path

    def pg_restore(self, dump: Path, name: str) -> Took:
        return shell(f"pg_restore -j2 --exit-on-error -d {name} {dump}", self.admin, None)

    def dump(self) -> Path:
        path = self.folder / "all.dump"
        shell(f"pg_dump -Fc -Z zstd:1 -f {path}", self.admin, None)
        return path

    def dbbackup(self, name: str, *command: str) -> Took:
        script = self.folder / "dbbackup_run.py"
        script.write_text(DBBACKUP)
        return shell(f"{sys.executable} {script} {name} {self.folder} {' '.join(command)}", self.admin, None)

    def ours(self, store: Store, manifest: Manifest, name: str) -> Took:
        began, cpu = time.monotonic(), cpu_seconds()
        restore(manifest, store, (), Target(self.server.dsn(name), new=True))
        return Took(time.monotonic() - began, 0, cpu_seconds() - cpu)


def cases(
    server: EmbeddedPostgres, dsns: dict[str, str], work: Path, rounds: int
) -> dict[str, Callable[[], measures.Ratio]]:
    """By the keys of bench-results.json."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sampelit_ops.settings")
    store = open_store(f"file://{directory(work, 'restored')}")
    admin = peer_environment(dsns["admin"]) | {"PATH": f"{bin_dir()}:{os.environ['PATH']}"}
    sides = Sides(server, admin, directory(work, "restores"))
    dump = cache(sides.dump)

    @cache
    def run(fmt: str) -> Manifest:
        plan = ExportPlan(uuid4().hex, dsns["export"], store, connections=2)
        return export(PolicySpec("all", "bench", ("*",), fmt), plan)

    def against(peer: Callable[[str], Took], fmt: str = "auto") -> measures.Ratio:
        mine = partial(_into_new, server, partial(sides.ours, store, run(fmt)))
        return measures.interleaved(mine, partial(_into_new, server, peer), rounds)

    def by_dbbackup() -> measures.Ratio:
        sides.dbbackup(admin["PGDATABASE"], "dbbackup")
        return against(lambda name: sides.dbbackup(name, "dbrestore", "--noinput"))

    made = {
        "restore_vs_pg_restore_j2": lambda: against(partial(sides.pg_restore, dump())),
        "restore_binary_vs_pg_restore_j2": lambda: against(partial(sides.pg_restore, dump()), "binary"),
    }
    return made | ({"restore_vs_django_dbbackup": by_dbbackup} if importlib.util.find_spec("dbbackup") else {})


def _into_new(server: EmbeddedPostgres, side: Callable[[str], Took]) -> Took:
    name = f"restored_{uuid4().hex[:12]}"
    server.create_database(name)
    try:
        return side(name)
    finally:
        server.drop_database(name)
