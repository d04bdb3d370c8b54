"""Streams, refusals with line and reason, order by dependency, archives with tricks."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest
from django.core.management import call_command

from migrations_registry.models import MigrationFile
from migrations_registry.services.registration import register_files
from migrations_registry.sources import reader as sources_reader
from migrations_registry.sources.discovery import classify, discover, unacceptable
from migrations_registry.sources.reader import read_archive, read_source, read_upload
from providers.errors import Refused

SUPABASE = "supabase/migrations/20260101000000_a.sql"


@pytest.mark.parametrize(
    ("path", "stream"),
    [
        ("database/schema/schema_audit.sql", ("schema", "audit")),
        ("migration_01_add_roles.sql", ("migration", "01")),
        (f"x/{SUPABASE}", ("supabase", "20260101000000")),
        ("supabase/migrations/readme.sql", None),
        ("schema_audit.sql.bak", None),
        ("notes.sql", None),
    ],
)
def test_streams(path: str, stream: tuple[str, str] | None) -> None:
    assert classify(path) == stream


@pytest.mark.parametrize(
    ("data", "line", "word"),
    [
        (b"\xef\xbb\xbfSELECT 1", 1, "byte order mark"),
        (b"SELECT 1;\n\xe9", 2, "UTF-8"),
        (b"SELECT 1;\nSELECT 2\0", 2, "NUL"),
        (b"SELECT 1;\n\\connect other\nSELECT 2;", 2, "\\connect"),
        (b"SELECT 1;\nCOPY t FROM stdin;\n1\ta\n\\.\n", 2, "COPY"),
        (b"COPY t (a) FROM STDIN WITH (FORMAT csv)", 1, "COPY"),
        (b"COPY t FROM stdin;\n1\n-- a remark; and more\n2\n\\.\nSELECT 1;", 1, "COPY"),
    ],
)
def test_refused_bytes(data: bytes, line: int, word: str) -> None:
    problem = unacceptable(data)

    assert problem is not None
    assert problem[0] == line
    assert word in problem[1]


@pytest.mark.parametrize(
    "data", [b"SELECT E'\\\\connect'", b"-- \\i x\nSELECT 1", b"COPY t TO stdout", b"SELECT 'COPY t FROM stdin'"]
)
def test_taken_bytes(data: bytes) -> None:
    assert unacceptable(data) is None


def test_order_is_by_need_not_by_name() -> None:
    files, rejected = discover(
        [
            ("schema_audit.sql", b"CREATE TABLE audit (id int REFERENCES users (id))"),
            ("schema_leads.sql", b"CREATE TABLE leads (id int)"),
            ("schema_phase1.sql", b"CREATE TABLE users (id int)"),
            ("migration_02_b.sql", b"ALTER TABLE audit ADD COLUMN b int"),
            ("migration_01_a.sql", b"ALTER TABLE users ADD COLUMN a int"),
            ("migration_10_c.sql", b"SELECT 1"),
        ]
    )

    assert [file.path for file in files] == [
        "schema_leads.sql",
        "schema_phase1.sql",
        "schema_audit.sql",
        "migration_01_a.sql",
        "migration_02_b.sql",
        "migration_10_c.sql",
    ]
    assert rejected == []


def test_a_circle_of_needs_still_ends() -> None:
    files, _ = discover(
        [
            ("schema_a.sql", b"CREATE TABLE a (id int REFERENCES b (id))"),
            ("schema_b.sql", b"CREATE TABLE b (id int REFERENCES a (id))"),
        ]
    )

    assert len(files) == 2


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("migration_01_a.sql", "migration_01_A.sql", "only in case"),
        ("schema_users.sql", "schema_USERS.sql", "only in case"),
        (SUPABASE, "supabase/migrations/20260101000000_A.sql", "only in case"),
        (SUPABASE, "supabase/migrations/20260101000000_b.sql", "one row for both"),
    ],
)
@pytest.mark.django_db
def test_of_two_that_stand_for_one_the_second_is_refused(one: str, other: str, why: str) -> None:
    files, rejected = discover([(one, b"SELECT 1"), (other, b"SELECT 2")])

    assert [file.path for file in files] == [one]
    assert why in str(rejected[0])
    register_files(files, source="tests", by="ana")
    later, _ = discover([(other, b"SELECT 2")])
    with pytest.raises(Refused, match="Nothing was registered"):
        register_files(later, source="tests", by="ana")
    assert MigrationFile.objects.count() == 1


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip archive in memory."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(members: list[tarfile.TarInfo], data: bytes = b"SELECT 1") -> bytes:
    """A gzipped tar archive in memory; regular members hold `data`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member in members:
            member.size = len(data) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(data) if member.isreg() else None)
    return buffer.getvalue()


def test_archives_are_read_in_memory() -> None:
    assert read_archive("a.zip", zipped({SUPABASE: b"SELECT 1", "x.txt": b""})) == [(SUPABASE, b"SELECT 1")]
    assert read_archive("a.tar.gz", tarred([tarfile.TarInfo("db/schema_a.sql")])) == [("db/schema_a.sql", b"SELECT 1")]
    assert read_upload("schema_a.sql", b"SELECT 1") == [("schema_a.sql", b"SELECT 1")]


@pytest.mark.parametrize(
    "name", ["../schema_a.sql", "/etc/schema_a.sql", "a/../../schema_a.sql", "C:\\schema_a.sql", "a\\..\\schema_b.sql"]
)
def test_paths_out_of_the_archive_are_refused(name: str) -> None:
    with pytest.raises(Refused, match="outside itself"):
        read_archive("a.tar.gz", tarred([tarfile.TarInfo(name)]))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(kind: bytes) -> None:
    member = tarfile.TarInfo("schema_a.sql")
    member.type, member.linkname = kind, "/etc/passwd"

    with pytest.raises(Refused, match="link or a device"):
        read_archive("a.tar.gz", tarred([member]))


def test_bombs_are_refused() -> None:
    with pytest.raises(Refused, match="larger than"):
        read_archive("a.zip", zipped({"schema_a.sql": b" " * (sources_reader.MAX_FILE_BYTES + 1)}))
    with pytest.raises(Refused, match="more than"):
        read_archive(
            "a.zip", zipped({f"schema_{number}.sql": b" " * (sources_reader.MAX_FILE_BYTES - 1) for number in range(9)})
        )
    with pytest.raises(Refused, match="members"):
        read_archive("a.zip", zipped({f"{number}.txt": b"" for number in range(sources_reader.MAX_MEMBERS + 1)}))


def damaged() -> bytes:
    """A zip whose compressed bytes are none."""
    whole = bytearray(zipped({"schema_a.sql": b"SELECT 1" * 9}))
    at = 30 + len("schema_a.sql")
    whole[at : at + 4] = b"\xff" * 4
    return bytes(whole)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04broken", b"\x1f\x8b\x08broken", b"no archive at all", damaged()])
def test_broken_archives_are_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="no readable"):
        read_archive("a.zip", data)


def test_a_directory_is_read_without_following_links_out(tmp_path: Path) -> None:
    (tmp_path / "tree" / "db").mkdir(parents=True)
    (tmp_path / "tree" / "db" / "schema_a.sql").write_text("SELECT 1")
    (tmp_path / "outside.sql").write_text("SELECT 2")

    assert read_source(str(tmp_path / "tree")) == [("db/schema_a.sql", b"SELECT 1")]
    (tmp_path / "tree" / "schema_b.sql").symlink_to(tmp_path / "outside.sql")
    with pytest.raises(Refused, match="link out"):
        read_source(str(tmp_path / "tree"))


def test_command_lists_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "schema_b.sql").write_text("CREATE TABLE b (id int)")
    (tmp_path / "schema_a.sql").write_text("ALTER TABLE b ADD COLUMN c int")

    call_command("discover_migrations", str(tmp_path), "--json")

    rows = json.loads(capsys.readouterr().out)
    assert [row["path"] for row in rows] == ["schema_b.sql", "schema_a.sql"]
    assert set(rows[0]) == {"path", "sha256", "stream"}


@pytest.mark.parametrize(
    "made", ["CREATE DOMAIN app.kind AS text", "CREATE TYPE app.kind AS ENUM ('a')", "CREATE TYPE app.kind AS (a int)"]
)
def test_a_type_that_an_earlier_file_makes_comes_first(made: str) -> None:
    discovered, _ = discover(
        [
            ("database/schema/schema_a.sql", b"CREATE TABLE t (k app.kind)"),
            ("database/schema/schema_b.sql", made.encode()),
        ]
    )
    assert [file.path[-5:] for file in discovered] == ["b.sql", "a.sql"]
