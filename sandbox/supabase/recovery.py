"""Real point-in-time recovery: a base backup, an archive of WAL, and a second server that replays it to a moment.

In: a database's name and a time or a restore point. Out: a dump of that database as it was then.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from providers.embedded_postgres import cluster
from providers.embedded_postgres.install import make_open_directories
from providers.embedded_postgres.server import EmbeddedPostgres, bin_dir
from sandbox.supabase.dumps import dump

ARCHIVE_LIMIT = 512 * 1024 * 1024


class Recovery:
    """Lives beside the server's directory: `archive/` (WAL) and `recovery/` (the base backup and attempts)."""

    def __init__(self, home: Path) -> None:
        self.archive, self.place = home / "archive", home / "recovery"

    def options(self) -> dict[str, str]:
        """What the server must be started with; makes the directories, owned by the server's account."""
        for directory in (self.archive, self.place):
            make_open_directories(directory.parent)
            directory.mkdir(mode=0o711, exist_ok=True)
            cluster.give_to_server(directory)
        copy = f"test -f {shlex.quote(str(self.archive))}/%f || cp %p {shlex.quote(str(self.archive))}/%f"
        return {"archive_mode": "on", "archive_command": copy}

    @property
    def earliest(self) -> datetime | None:
        """The first moment that can be reached: the end of the base backup."""
        mark = self.place / "base.done"
        return datetime.fromisoformat(mark.read_text()) if mark.exists() else None

    def ensure_base(self, server: EmbeddedPostgres) -> None:
        """Take the base backup where there is none, or a new one when the archive has grown large."""
        size = sum(segment.stat().st_size for segment in self.archive.iterdir())
        if self.earliest is not None and size < ARCHIVE_LIMIT:
            return
        fresh, base = self.place / "base.new", self.place / "base"
        shutil.rmtree(fresh, ignore_errors=True)
        argv: list[str | Path] = [bin_dir() / "pg_basebackup", "-D", fresh, "-c", "fast", "-X", "fetch", "--no-sync"]
        argv += ["-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres"]
        made = cluster.run_as_server(
            argv, die_with_parent=True, stdout=subprocess.PIPE, env={"PGPASSWORD": server.password}
        )
        output, _ = made.communicate()
        if made.returncode:
            raise RuntimeError(f"pg_basebackup: {output.decode(errors='replace')[-400:]}")
        (self.place / "base.done").unlink(missing_ok=True)
        shutil.rmtree(base, ignore_errors=True)
        fresh.rename(base)
        self._prune(base)
        with psycopg.connect(server.dsn()) as connection:
            row = connection.execute("SELECT clock_timestamp()").fetchone()
        (self.place / "base.done").write_text(str(row[0].astimezone(UTC)) if row else "")

    def _prune(self, base: Path) -> None:
        """WAL older than the base backup's first segment can never be replayed again."""
        match = re.search(r"\(file ([0-9A-F]{24})\)", (base / "backup_label").read_text())
        for segment in self.archive.iterdir():
            if match and re.fullmatch("[0-9A-F]{24}", segment.name) and segment.name < match[1]:
                segment.unlink()

    def dump_as_of(self, server: EmbeddedPostgres, name: str, target: datetime | str, path: Path) -> None:
        """Dump database `name` as it was at `target`, a time or the name of a restore point, into `path`."""
        self._archive_everything(server)
        attempt = Path(tempfile.mkdtemp(prefix="attempt-", dir=self.place))
        try:
            cluster.give_to_server(attempt)
            self._copy_base(attempt)
            self._aim(attempt / "cluster", target)
            password = attempt / "password"
            password.touch(mode=0o600)
            password.write_text(server.password)
            cluster.give_to_server(password)
            options = {"archive_mode": "off", "hot_standby": "off", "fsync": "off", "max_connections": "20"}
            with EmbeddedPostgres(attempt, options=options) as past:
                dump(past, name, path)
        finally:
            shutil.rmtree(attempt, ignore_errors=True)

    def _archive_everything(self, server: EmbeddedPostgres) -> None:
        """A commit later than any target, then a switch of segments, then wait until that segment is archived."""
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("SELECT pg_current_xact_id()")
            row = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
            segment, deadline = str(row[0] if row else ""), time.monotonic() + 60
            while not (self.archive / segment).exists():
                if time.monotonic() > deadline:
                    raise RuntimeError(f"the segment {segment} was not archived in time")
                time.sleep(0.05)

    def _copy_base(self, attempt: Path) -> None:
        copied = cluster.run_as_server(
            ["cp", "-a", self.place / "base", attempt / "cluster"], die_with_parent=True, stdout=subprocess.PIPE
        )
        output, _ = copied.communicate()
        if copied.returncode:
            raise RuntimeError(f"the base backup could not be copied: {output.decode(errors='replace')[-400:]}")

    def _aim(self, directory: Path, target: datetime | str) -> None:
        kind = "name" if isinstance(target, str) else "time"
        value = target if isinstance(target, str) else target.astimezone(UTC).isoformat(sep=" ")
        lines = {
            "restore_command": f"cp {shlex.quote(str(self.archive))}/%f %p",
            f"recovery_target_{kind}": value,
            "recovery_target_action": "promote",
        }
        with (directory / "postgresql.auto.conf").open("a") as settings:
            settings.writelines(f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in lines.items())
        (directory / "recovery.signal").touch()
        cluster.give_to_server(directory / "recovery.signal")
