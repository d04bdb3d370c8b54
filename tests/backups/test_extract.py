"""One table of a run as CSV: the same text from CSV and from binary segments, checked first, never half."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from pyrage import x25519

from backups.archive.manifest import Manifest, Table
from backups.policy_spec import PolicySpec
from backups.restore.table_csv import csv_of, wanted
from providers.errors import ProviderError, Refused
from providers.storage.base import Store
from tests.backups.conftest import exported

USERS = PolicySpec("some", "production", ("users",), format="csv")


def text(manifest: Manifest, store: Store, drill, identities: tuple[str, ...] = ()) -> bytes:
    table = wanted(manifest, "users", identities)
    return b"".join(csv_of(manifest, table, store, identities, drill))


def test_binary_segments_give_the_same_csv(sampelit, store: Store, drill) -> None:
    binary = exported(sampelit["export"], store, replace(USERS, format="binary"))
    plain = exported(sampelit["export"], store, USERS)

    extracted = text(binary, store, drill)

    assert [table.format for table in (*binary.tables, *plain.tables)] == ["binary", "csv"]
    assert extracted == text(plain, store, drill)
    assert extracted.startswith(b"id,email,")


def test_several_segments_have_one_header_even_where_a_name_holds_a_line_end(sampelit_copy, store: Store) -> None:
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        connection.execute('CREATE TABLE broad ("one\ntwo" text); GRANT SELECT ON broad TO sampelit_export')
        connection.execute("INSERT INTO broad SELECT 'a' FROM generate_series(1, 3)")
    manifest = exported(sampelit_copy["export"], store, PolicySpec("some", "production", ("broad",), format="csv"))
    table = manifest.tables[0]
    twice: Table = replace(table, segments=table.segments * 2)

    assert b"".join(csv_of(manifest, twice, store, ())) == b'"one\ntwo"\n' + b'"a"\n' * 6


def test_what_cannot_be_given_is_said_before_the_first_byte(sampelit, store: Store, drill) -> None:
    identity = x25519.Identity.generate()
    manifest = exported(sampelit["export"], store, USERS, recipients=(str(identity.to_public()),))

    with pytest.raises(Refused, match="holds no private key, by design"):
        wanted(manifest, "users", ())
    with pytest.raises(Refused, match=r"holds no table public\.nothing"):
        wanted(manifest, "nothing", ())
    assert text(manifest, store, drill, (str(identity),)).startswith(b"id,email,")
    store.delete(manifest.tables[0].segments[0].key)
    with pytest.raises(Refused, match=r"is damaged; nothing was sent.*missing"):
        csv_of(manifest, manifest.tables[0], store, (str(identity),))


def test_one_table_is_converted_at_a_time_and_loaded_before_the_first_byte(sampelit, store: Store, drill) -> None:
    manifest = exported(sampelit["export"], store, replace(USERS, format="binary"))
    wrong = replace(manifest, tables=(replace(manifest.tables[0], columns=manifest.tables[0].columns[1:]),))

    asked = csv_of(manifest, manifest.tables[0], store, (), drill)
    with pytest.raises(Refused, match=r"Another table is being converted.*public\.users was not sent"):
        csv_of(manifest, manifest.tables[0], store, (), drill)
    asked.close()
    with pytest.raises(ProviderError, match="could not be read; nothing was sent"):
        csv_of(wrong, wrong.tables[0], store, (), drill)

    assert text(manifest, store, drill).startswith(b"id,email,")


def test_the_command_writes_a_new_file_for_its_owner_alone(sampelit, store: Store, tmp_path: Path) -> None:
    manifest = exported(sampelit["export"], store, USERS)
    target = tmp_path / "users.csv"
    options = {"store": store.url, "out": str(target)}

    call_command("table_csv", manifest.run, "users", **options)

    assert target.stat().st_mode & 0o777 == 0o600
    assert target.read_bytes().count(b"\n") == manifest.rows + 1
    with pytest.raises(CommandError, match=r"cannot be made: File exists\. Nothing was written"):
        call_command("table_csv", manifest.run, "users", **options)
