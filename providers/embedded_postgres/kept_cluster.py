"""A cluster as initdb leaves it, made once beside the programs and copied for each drill: a copy costs a tenth.

In: a directory of ours. Out: a cluster and its password in it. Nobody but us may read or write the kept one; where it
cannot be kept safely, initdb runs each time.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from providers.embedded_postgres import cluster
from providers.embedded_postgres.install import bin_dir, whole_of

PARTS = ("cluster", "password")


def make(data_dir: Path, major: int) -> None:
    """Fill `data_dir` with a copy, for the caller to give to its account; sharing one password until sealed."""
    kept = _kept(major)
    if kept is None:
        cluster.make(data_dir, major)
        return
    fresh = data_dir / "cluster.new"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(kept / "cluster", fresh)
    shutil.copy(kept / "password", data_dir / "password")
    fresh.rename(data_dir / "cluster")


def place(major: int) -> Path:
    """Where it is kept: beside the programs, by their version and its locale."""
    programs = whole_of(bin_dir(major))
    return programs.parent / f"cluster-{programs.name}-{cluster.LOCALE}-{os.geteuid()}"


def _kept(major: int) -> Path | None:
    directory = place(major)
    if not directory.exists():
        with suppress(OSError):
            _keep(directory, major)
    return directory if _is_ours_alone(directory) else None


def _is_ours_alone(directory: Path) -> bool:
    try:
        status = directory.lstat()
    except FileNotFoundError:
        return False
    alone = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077 and status.st_uid == os.geteuid()
    return alone and all((directory / part).exists() for part in PARTS)


def _keep(directory: Path, major: int) -> None:
    """Made aside, on the disk before it has its name: neither a kill nor a power cut leaves half of one."""
    partial = Path(tempfile.mkdtemp(prefix=".cluster-", dir=directory.parent))
    try:
        cluster.make(partial, major)
        for path in (partial, *partial.rglob("*")):
            os.chown(path, os.geteuid(), os.getegid(), follow_symlinks=False)
        os.sync()
        with suppress(OSError):  # another process was faster
            partial.rename(directory)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
