"""The server of a load: its superuser goes, nobody hears it, it hears nobody, and it ends with whoever started it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from providers.embedded_postgres.cell import TRANSIENT, Cell, cell, open_for
from providers.embedded_postgres.furnish import Logins, Needs
from providers.processes import alive
from tests.providers.test_processes import REPOSITORY, as_root
from tests.waiting import until

NEEDS = Needs(("auth", "odd ñame"), {"citext": "extensions", "dblink": "extensions", "fuzzystrmatch": "pg_catalog"})


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Cell, Logins]]:
    with cell() as server:
        yield server, open_for(server, "drill", NEEDS)


def answers(dsn: str, query: str) -> list[tuple]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(query).fetchall()


def test_what_a_load_needs_is_there_and_what_reaches_outside_is_not(running) -> None:
    _, logins = running

    extensions = answers(logins.owner, "SELECT extname, extnamespace::regnamespace::text FROM pg_extension ORDER BY 1")
    schemas = answers(
        logins.owner, "SELECT nspname FROM pg_namespace WHERE nspowner = current_user::regrole ORDER BY 1"
    )

    assert extensions == [("citext", "extensions"), ("fuzzystrmatch", "pg_catalog"), ("plpgsql", "pg_catalog")]
    assert schemas == [("auth",), ("extensions",), ("odd ñame",), ("public",)]


@pytest.mark.parametrize("login", ["owner", "reader"])
def test_who_signs_in_is_nobody(running, login: str) -> None:
    dsn = getattr(running[1], login)

    roles = answers(
        dsn,
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, (SELECT count(*) FROM pg_auth_members m WHERE"
        " m.member = r.oid AND m.roleid < 16384) FROM pg_roles r WHERE rolname = session_user",
    )
    may = answers(dsn, "SELECT has_database_privilege(current_database(), 'CREATE')")

    assert (roles, may) == ([(False, False, False, False, 0)], [(False,)])


def test_nobody_signs_in_as_the_superuser_any_more(running) -> None:
    server, logins = running
    place = f"host={server.data_dir} port={server.port}"

    for attempt in (f"{place} user=postgres dbname=drill", f"{place} user=postgres dbname=postgres password=guess"):
        with pytest.raises(psycopg.OperationalError, match=r"authentication failed|no password supplied"):
            psycopg.connect(attempt)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(logins.owner, dbname="postgres")
    assert not (server.data_dir / "password").exists()
    assert answers(logins.owner, "SELECT rolname FROM pg_roles WHERE rolsuper AND rolcanlogin") == []


def test_it_has_a_socket_of_its_own_and_no_port(running) -> None:
    server, logins = running

    shown = answers(logins.owner, "SELECT current_setting('listen_addresses'), inet_server_addr()")

    assert shown == [("", None)]
    assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"host=127.0.0.1 port={server.port} user=postgres connect_timeout=2")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc shows it on Linux only")
def test_its_process_has_nothing_of_ours(running) -> None:
    server, logins = running
    process = Path(f"/proc/{server.process.pid}")

    variables = {entry.partition(b"=")[0] for entry in (process / "environ").read_bytes().split(b"\0")} - {b""}

    assert variables <= {b"PATH", b"LC_ALL", b"TZ", b"LC_CTYPE"}
    if logins.note:
        pytest.skip(logins.note)
    for space in ("net", "mnt", "ipc"):
        assert os.readlink(process / "ns" / space) != os.readlink(f"/proc/self/ns/{space}")
    assert {path.name for path in (process / "root").iterdir()}.isdisjoint({"proc", "root", "home", "etc", "var"})


@as_root
def test_as_root_its_account_is_nobody_elses(running) -> None:
    server, _ = running

    assert server.cluster.stat().st_uid in TRANSIENT
    assert f"Uid:\t{server.account[0]}\t" in Path(f"/proc/{server.process.pid}/status").read_text()


def test_a_program_that_does_not_start_there_runs_all_the_same_and_it_is_said(tmp_path: Path) -> None:
    script = REPOSITORY / "providers/embedded_postgres/enclosure.py"
    account = [str(os.geteuid()), str(os.getegid())]
    words = [str(os.getpid()), *account, "1", str(tmp_path), "/bin/sh", "-c", "echo here"]

    done = subprocess.run([sys.executable, "-I", "-S", script, *words], capture_output=True, text=True, check=True)

    assert done.stdout == "here\n"
    assert "not enclosed: " in done.stderr


PARENT = """
import sys, time
from pathlib import Path
from providers.embedded_postgres.cell import Cell
server = Cell(Path(sys.argv[1]) / "pg")
server.start()
print(server.process.pid, flush=True)
time.sleep(600)
"""


def test_killing_whoever_started_it_stops_it(orphan: Callable[[str], int]) -> None:
    server = orphan(PARENT)

    assert until(lambda: not alive(server))
