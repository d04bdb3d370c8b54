"""The embedded server: as root and as an ordinary user, after crashes, beside other servers and other files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import psycopg
import pytest

from providers.embedded_postgres import postmaster
from providers.embedded_postgres.install import make_open_directories, traversable
from providers.embedded_postgres.server import EmbeddedPostgres, data_home
from providers.embedded_postgres.throwaway import throwaway
from providers.errors import ProviderError
from providers.processes import alive

pytestmark = pytest.mark.slow

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to try both accounts")


def rows(server: EmbeddedPostgres) -> int:
    with psycopg.connect(server.dsn()) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    return row[0] if row else -1


def keep_rows(server: EmbeddedPostgres, count: int = 1000) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, %s) AS n", [count])


def test_a_throwaway_server_answers_with_its_extensions_and_leaves_no_directory() -> None:
    with throwaway() as server:
        directory = server.data_dir
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute('CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION pgcrypto')
            row = connection.execute("SELECT uuid_generate_v4() IS NOT NULL, length(digest('a', 'sha256'))").fetchone()

    assert row == (True, 32)
    assert not directory.exists()


def test_only_the_password_opens_it_and_only_on_loopback(home: Path) -> None:
    with EmbeddedPostgres(home / "pg", options={"fsync": "off"}) as server:
        with pytest.raises(psycopg.OperationalError, match=r"authentication failed|no password"):
            psycopg.connect(f"postgresql://postgres:guess@127.0.0.1:{server.port}/postgres")
        with psycopg.connect(server.dsn()) as connection:
            shown = connection.execute("SELECT current_setting('listen_addresses')").fetchone()

        assert shown == ("127.0.0.1",)
        assert stat.S_IMODE((server.data_dir / "password").stat().st_mode) == 0o600
        assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700


def test_rows_survive_a_killed_postmaster(home: Path) -> None:
    crashed = EmbeddedPostgres(home / "pg")
    crashed.start()
    keep_rows(crashed)
    assert crashed.process is not None
    crashed.process.kill()
    crashed.process.wait()

    with EmbeddedPostgres(home / "pg") as again:
        assert rows(again) == 1000


def test_a_pid_file_naming_an_innocent_process_is_stale(home: Path) -> None:
    with EmbeddedPostgres(home / "pg") as first:
        pid_file = (first.cluster / "postmaster.pid").read_text().split("\n")
    (home / "pg/cluster/postmaster.pid").write_text("\n".join([str(os.getpid()), *pid_file[1:]]))

    with EmbeddedPostgres(home / "pg") as again:
        assert not again.adopted
    assert alive(os.getpid())


def test_a_live_server_of_ours_is_adopted_and_not_stopped(home: Path) -> None:
    with EmbeddedPostgres(home / "pg", options={"fsync": "off"}) as owner:
        keep_rows(owner, 5)
        with EmbeddedPostgres(home / "pg") as guest:
            assert guest.adopted
            assert guest.port == owner.port
        assert rows(owner) == 5


def test_a_live_server_that_is_not_ours_is_refused(home: Path) -> None:
    with EmbeddedPostgres(home / "pg", options={"fsync": "off"}) as owner:
        with psycopg.connect(owner.dsn(), autocommit=True) as connection:
            connection.execute("ALTER ROLE postgres PASSWORD 'somebody elses'")

        with pytest.raises(ProviderError, match="is not ours"):
            EmbeddedPostgres(home / "pg").start()
        assert postmaster.find(owner.cluster) is not None


def test_a_directory_with_other_files_is_refused_and_left_alone(home: Path) -> None:
    mine = home / "letters"
    mine.mkdir(mode=0o750)
    (mine / "letter.txt").write_text("dear")

    with pytest.raises(ProviderError, match="not ours"):
        EmbeddedPostgres(mine).start()
    assert (stat.S_IMODE(mine.stat().st_mode), mine.stat().st_uid) == (0o750, os.geteuid())


def test_permissions_outside_its_directory_stay(home: Path) -> None:
    before = {path: (path.stat().st_mode, path.stat().st_uid) for path in (home, *home.parents)}

    with EmbeddedPostgres(home / "pg", options={"fsync": "off"}):
        pass

    assert {path: (path.stat().st_mode, path.stat().st_uid) for path in before} == before


def test_a_half_made_cluster_is_made_again(home: Path) -> None:
    (home / "pg").mkdir(mode=0o700)
    (home / "pg/cluster.new").mkdir()
    (home / "pg/cluster.new/PG_VERSION").write_text("1")

    with EmbeddedPostgres(home / "pg", options={"fsync": "off"}) as server:
        assert "postgres" in server.databases()


@as_root
def test_as_root_a_hidden_directory_is_refused_and_data_home_names_another(home: Path) -> None:
    hidden = home / "hidden"
    hidden.mkdir(mode=0o700)

    with pytest.raises(ProviderError, match="hidden from the user"):
        EmbeddedPostgres(hidden / "pg").start()
    assert stat.S_IMODE(hidden.stat().st_mode) == 0o700
    assert str(data_home(hidden / ".data")).startswith("/var/lib/sampelit-ops/")
    assert data_home(home / ".data") == home / ".data"


def test_directories_we_make_are_open_whatever_the_umask(home: Path) -> None:
    old = os.umask(0o077)
    try:
        make_open_directories(home / "a/b")
    finally:
        os.umask(old)

    assert traversable(home / "a/b")
