"""Rows longer than the server prints: a CSV segment falls back to binary, and is told. The limit is lowered here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg import errors

from backups.archive.manifest import Manifest
from backups.archive.shape import contradiction
from backups.export.fallback import fallen_back
from backups.policy_spec import PolicySpec
from backups.proof.prove import prove
from backups.restore.into_empty import Target, restore
from backups.restore.table_csv import csv_of
from providers.errors import ProviderError
from providers.postgres.copy.stream import QueryOut
from providers.storage.base import Store
from tests.backups.conftest import exported
from tests.backups.schema.conftest import database as database
from tests.backups.test_offline import SIGNER, verify

CSV = PolicySpec("whole", "production", ("*",), format="csv")
LIMIT = 5_000
ROWS = "CREATE TABLE t(id int PRIMARY KEY, x text);"
ROWS += "INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 2000) i;"
LONG = f"UPDATE t SET x = repeat('y', {LIMIT * 2}) WHERE id = 700"
NUMBERED = "CREATE TABLE n(x int, r regclass); INSERT INTO n VALUES (1, 'n'); "


def limited(monkeypatch: pytest.MonkeyPatch, error: psycopg.Error, formats: tuple[str, ...] = ("csv",)) -> None:
    """As if the server's buffers held `LIMIT` bytes, not a gigabyte."""

    unlimited = QueryOut.__iter__

    def limited(stream: QueryOut) -> Iterator[memoryview]:
        bounded = any(f"FORMAT {each}" in stream.query.as_string(None) for each in formats)
        for block in unlimited(stream):
            if bounded and max(map(len, bytes(block).split(b"\n"))) > LIMIT:
                raise error
            yield block

    monkeypatch.setattr(QueryOut, "__iter__", limited)


@pytest.fixture
def mixed(monkeypatch: pytest.MonkeyPatch, database, store: Store) -> Manifest:
    limited(monkeypatch, errors.ProgramLimitExceeded("string buffer exceeds maximum allowed length"))
    return exported(database(ROWS + LONG), store, CSV)


def test_the_segment_is_binary_and_the_run_says_so(mixed: Manifest, store: Store, drill, empty_database: str) -> None:
    verdict = prove(mixed, store, server=drill)
    restore(mixed, store, (), Target(empty_database))

    (table,) = mixed.tables
    assert (table.format, [part.format for part in table.segments], verdict.status) == ("csv", ["binary"], "proven")
    assert fallen_back(mixed) == [
        "public.t has rows longer than PostgreSQL prints, so 1 of its 1 segments are binary instead of CSV."
    ]
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("SELECT count(*), max(length(x)) FROM t").fetchone() == (2000, LIMIT * 2)


def test_who_asks_for_csv_of_it_hears_why_not(mixed: Manifest, store: Store, drill) -> None:
    with pytest.raises(ProviderError, match=r"public\.t has a row longer than PostgreSQL prints"):
        b"".join(csv_of(mixed, mixed.tables[0], store, (), drill))


def test_the_offline_verifier_reads_it_and_says_what_it_could_not(
    monkeypatch: pytest.MonkeyPatch, sampelit, store: Store, tmp_path
) -> None:
    monkeypatch.setattr("tests.backups.test_long_rows.LIMIT", 200)
    limited(monkeypatch, errors.ProgramLimitExceeded("string buffer exceeds maximum allowed length"))
    exported(sampelit["export"], store, signer=SIGNER)

    code, said = verify(store, tmp_path)

    assert code == 0, said
    assert "Chains of algorithm_audit_trail were not recomputed: rows that are binary need PostgreSQL." in said


def test_a_row_that_no_format_holds_is_told(monkeypatch: pytest.MonkeyPatch, database, store: Store) -> None:
    limited(monkeypatch, errors.InternalError_("invalid memory alloc request size 1073741827"), ("csv", "binary"))

    with pytest.raises(ProviderError, match=r"public\.t has a row longer than the gigabyte .* The run was not stored"):
        exported(database(ROWS + LONG), store, CSV)


def test_what_has_no_binary_form_does_not_fall_back(monkeypatch: pytest.MonkeyPatch, database, store: Store) -> None:
    limited(monkeypatch, errors.ProgramLimitExceeded("string buffer exceeds maximum allowed length"))
    long = f"ALTER TABLE n ADD y text DEFAULT repeat('y', {LIMIT * 2})"

    with pytest.raises(ProviderError, match=r"public\.n has a row longer"):
        exported(database(NUMBERED + long), store, CSV)


@pytest.mark.parametrize(("format", "ending"), [("binary", ".csv.zst"), ("csv", ".text.zst"), ("csv", ".zst")])
def test_a_segment_of_a_format_that_its_table_has_not_is_a_contradiction(
    format: str, ending: str, database, store: Store
) -> None:
    manifest = exported(database(ROWS), store, CSV)
    (table,) = manifest.tables
    parts = tuple(replace(part, key=part.key.replace(".csv.zst", ending)) for part in table.segments)

    body = replace(manifest, tables=(replace(table, format=format, segments=parts),)).body

    assert contradiction(body) == "public.t: a segment of another format"
