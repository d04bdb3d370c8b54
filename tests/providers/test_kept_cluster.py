"""Drills copy one cluster that initdb made; nobody else can have had a hand in it."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from providers.embedded_postgres import cluster, kept_cluster
from providers.embedded_postgres.cell import cell, open_for
from providers.embedded_postgres.furnish import Locale, Needs

WORDS = ["a", "B", "ä", "Z", "z", "é", "\uffff", "\U0001f600", "a b", "a-b", "ab", "", "\x01", "中"]


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A place of the test's own, as initdb would fill it."""
    monkeypatch.setattr(kept_cluster, "place", lambda _: tmp_path / "kept")
    monkeypatch.setattr(cluster, "make", fake)
    return tmp_path / "kept"


def fake(data_dir: Path, _: int) -> None:
    (data_dir / "cluster").mkdir()
    (data_dir / "password").write_text("made by initdb")


def made(directory: Path) -> str:
    directory.mkdir()
    kept_cluster.make(directory, 17)
    return (directory / "password").read_text()


def test_initdb_runs_once_and_drills_are_copies(kept: Path, tmp_path: Path) -> None:
    first = made(tmp_path / "one")
    (kept / "password").write_text("the kept one")

    assert (first, made(tmp_path / "two")) == ("made by initdb", "the kept one")
    assert kept.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("spoilt", ["open", "link", "half"])
def test_what_others_could_have_touched_is_not_copied(kept: Path, tmp_path: Path, spoilt: str) -> None:
    made(tmp_path / "one")
    (kept / "password").write_text("not to be trusted")
    if spoilt == "open":
        kept.chmod(0o750)
    elif spoilt == "link":
        kept.rename(tmp_path / "elsewhere")
        kept.symlink_to(tmp_path / "elsewhere")
    else:
        (kept / "cluster").rmdir()

    assert made(tmp_path / "two") == "made by initdb"


def test_text_of_the_c_locale_has_the_same_order_in_a_drill() -> None:
    """Both ways of saying it: the C library's, and the one that a drill's database has."""
    with cell() as server:
        by_library = open_as(server, "library", Locale("C.UTF-8", "C.UTF-8", "libc"))

    assert by_library == ("C", "C.UTF-8", sorted(WORDS, key=str.encode), sorted(WORDS, key=str.encode))


def open_as(server, name: str, locale: Locale) -> tuple:
    logins = open_for(server, name, Needs(locale=locale))
    order = "array_agg(w ORDER BY w {}) FROM unnest(%(words)s::text[]) w"
    with psycopg.connect(logins.owner) as connection:
        database = "SELECT datcollate, datctype FROM pg_database WHERE datname = current_database()"
        plain, library = (
            connection.execute(f"SELECT {order.format(how)}", {"words": WORDS}).fetchone()[0]
            for how in ("", 'COLLATE "C.utf8"')
        )
        return (*connection.execute(database).fetchone(), plain, library)
