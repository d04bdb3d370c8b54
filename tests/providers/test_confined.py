"""Archives are read where they can take neither time nor memory nor secrets from the portal."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
import zipfile
from collections.abc import Callable

import pytest

from deployments.functions import source_archive
from migrations_registry.sources import reader
from providers import confined
from providers.errors import Refused


def _tar(name: str, headers: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo(name)
        member.pax_headers = headers
        archive.addfile(member)
    return buffer.getvalue()


def test_an_honest_archive_is_read() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("db/schema_a.sql", "SELECT 1")

    assert reader.read_upload("a.zip", buffer.getvalue()) == [("db/schema_a.sql", b"SELECT 1")]
    assert source_archive.from_upload(buffer.getvalue(), "a.zip") == {"schema_a.sql": b"SELECT 1"}


def test_a_refusal_keeps_its_reason() -> None:
    with pytest.raises(Refused, match="no readable zip"):
        reader.read_upload("a.zip", b"nonsense")


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a header of a megabyte": (lambda: _tar("schema_a.sql", {"comment": "x" * 2**20}), "a header of"),
    "sparse maps without an end": (
        lambda: gzip.compress(_tar("schema_a.sql", {"GNU.sparse.map": "0," * 20_000 + "x"})),
        "no readable|more than",
    ),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_costs_this_process_nothing(bomb: tuple[Callable[[], bytes], str]) -> None:
    make, said = bomb
    content = make()
    began = time.process_time()

    with pytest.raises(Refused, match=said):
        reader.read_upload("a.tar.gz", content)

    assert time.process_time() - began < 0.5


def spin(_: str, __: bytes) -> list[tuple[str, bytes]]:
    """A reader that never ends."""
    while True:
        pass


def hoard(_: str, __: bytes) -> list[tuple[str, bytes]]:
    """A reader that takes more memory than there is."""
    return [("x", bytes(2**30))]


def tell(_: str, __: bytes) -> list[tuple[str, bytes]]:
    """A reader that says what it inherited."""
    import os

    return [(name, b"") for name in os.environ]


@pytest.mark.parametrize("reader", ["spin", "hoard"])
def test_time_and_memory_end(reader: str) -> None:
    with pytest.raises(Refused, match="no honest archive"):
        confined.read(f"{__name__}:{reader}", "a.zip", b"", seconds=1)


def test_no_secret_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKUP_AGE_IDENTITY", "AGE-SECRET-KEY-1")

    assert "BACKUP_AGE_IDENTITY" not in dict(confined.read(f"{__name__}:tell", "a.zip", b""))
