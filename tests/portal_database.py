"""pytest plugin (`-p tests.portal_database`): one throwaway server per session, started before Django reads settings.

Out: DATABASE_URL and the other variables of a test run in os.environ; `server` for fixtures. The kernel stops the
server when this process ends, even by kill -9; the next run removes a directory left behind.
"""

from __future__ import annotations

import atexit
import os
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from providers.embedded_postgres.server import EmbeddedPostgres
from providers.embedded_postgres.throwaway import throwaway

server: EmbeddedPostgres
_resources = ExitStack()
atexit.register(_resources.close)  # pytest skips its own ending when a plugin fails to load
KEPT = ("OPS_REQUIRE_ALL", "OPS_TEST_")
MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 4 << 30
OUTSIDE = ("RENDER_", "SUPABASE_", "SAMPELIT_", "AWS_", "BACKUP_", "OPS_", "EMAIL_", "SLACK_", "NOTIFY_", "DEADMAN_")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    global server
    keep_byte_code()
    use_memory()
    server = _resources.enter_context(throwaway(max_connections="200", scram_iterations="1"))
    sign_in_quickly(server)
    # Named like a throwaway server's directory, so that the next run's sweep removes it after a kill -9.
    data = _resources.enter_context(tempfile.TemporaryDirectory(prefix=f"sampelit-ops-pg-{os.getpid()}-data-"))
    os.chmod(data, 0o755)  # the demo's server, under another account as root, must reach its place in it
    for name in [name for name in os.environ if name.startswith(OUTSIDE) and not name.startswith(KEPT)]:
        del os.environ[name]
    os.environ |= {
        "DATABASE_URL": server.dsn("sampelit_ops"),
        "SECRET_KEY": "only-for-tests-" + "x" * 50,
        "FACTOR_KEY": "only-for-tests-" + "y" * 50,
        "DEMO": "1",
        "OPS_DATA_DIR": data,
        "OPS_LEASE_SECONDS": "2",
        "OPS_HEARTBEAT_SECONDS": "0.5",
        "OPS_TICK_SECONDS": "0.5",
        "OPS_CANARY_SECONDS": "1",
        "OPS_REWAKE_SECONDS": "1",
        "OPS_RETRY_SECONDS": "0.2",
        "RENDER_API_BASE": "http://127.0.0.1:9/v1",
        "SUPABASE_API_BASE": "http://127.0.0.1:9",
    }
    return (yield)


def sign_in_quickly(server: EmbeddedPostgres) -> None:
    """Passwords of this server are hashed once instead of 4,096 times: four of the ten milliseconds of a connection."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER ROLE postgres PASSWORD {}").format(sql.Literal(server.password)))


def keep_byte_code() -> None:
    """A run starts many processes; compiling all modules anew costs each of them half a second."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def use_memory() -> None:
    """Temporary files in memory, if it has room and TMPDIR names no other place: databases come and go all the time."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    facts = os.statvfs(MEMORY)
    if facts.f_bavail * facts.f_frsize >= ENOUGH_BYTES and not facts.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


def pytest_unconfigure() -> None:
    _resources.close()
