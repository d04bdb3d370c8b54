"""A value costs at most four times its size in the process that copies it, and is known before it is copied."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from backups import disk_space
from backups.archive.segment_codec import CAP_BYTES
from backups.doctor.preflight import checks
from backups.policy_spec import PolicySpec
from operations.models import Environment
from providers import machine, postgres
from providers.errors import Refused
from providers.postgres.copy.largest_value import Largest, largest_value
from providers.storage.base import Store
from tests.backups.conftest import exported
from tests.backups.schema.conftest import database as database

pytestmark = pytest.mark.slow

ALL = PolicySpec("whole", "production", ("*",))
SIZE = 24 << 20
VALUE = "CREATE TABLE t (id int PRIMARY KEY, x bytea); ALTER TABLE t ALTER x SET STORAGE EXTERNAL"
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
def test_a_value_costs_at_most_four_times_its_size(database, tmp_path: Path) -> None:
    tiny, large = database("CREATE TABLE t (x int); INSERT INTO t VALUES (1)"), database(VALUE)
    with psycopg.connect(large) as connection:
        for number in range(2):
            connection.execute("INSERT INTO t VALUES (%s, %b)", [number, os.urandom(SIZE)])
    argv = [sys.executable, "-m", "tests.backups.value_memory", tiny, large, f"file://{tmp_path}"]

    said = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)

    assert 0 < int(said.stdout) <= disk_space.COPIES_OF_A_VALUE * SIZE + 2 * CAP_BYTES  # two segments may be under way


@pytest.mark.parametrize(
    ("columns", "value", "size"),
    [
        ("x text", "repeat('x', 40000000)", 40_000_000),  # compressed to almost nothing
        ("x bytea STORAGE EXTERNAL", "decode(repeat('ab', 20000000), 'hex')", 20_000_000),
        ("x text[] STORAGE EXTERNAL", "ARRAY[repeat('x', 18000000)]", 18_000_024),
    ],
)
def test_the_largest_value_is_known_without_reading_it(columns: str, value: str, size: int, database) -> None:
    wide = "INSERT INTO t SELECT decode(repeat(md5(i::text), 30000), 'hex') FROM generate_series(1, 40) i"
    dsn = database(
        f"CREATE TABLE s ({columns}); INSERT INTO s VALUES ({value}), ('{{}}');"
        f"CREATE TABLE t (b bytea STORAGE EXTERNAL); {wide}"
    )
    with postgres.connect(dsn) as connection:
        tables = postgres.read_catalog(connection, ["*"]).data_tables

        assert largest_value(connection, tables) == Largest("public.s", size)
        assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)


@pytest.mark.django_db(transaction=True)
def test_a_value_that_does_not_fit_is_refused_before_it_is_copied(
    database, store: Store, production: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = database(
        "CREATE TABLE t (x bytea STORAGE EXTERNAL); INSERT INTO t SELECT decode(repeat('ab', 20000000), 'hex')"
    )
    production.policies.update(tables=["*"])
    assert any("the largest value 20 MB in public.t" in check.found for check in checks(production, dsn))
    monkeypatch.setattr(machine, "free_memory", lambda: 70_000_000)

    with pytest.raises(
        Refused, match=r"public\.t has a value of 20 MB: copying it needs 80 MB of memory, 70 MB are free"
    ):
        exported(dsn, store, ALL)

    assert list(store.list()) == []
    assert {check.tone for check in checks(production, dsn)} == {"bad"}
