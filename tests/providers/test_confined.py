"""Archives are read where they can take neither time nor memory nor secrets from the portal."""

from __future__ import annotations

import gzip
import io
import lzma
import resource
import struct
import tarfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable

import pytest

from deployments.functions import source_archive
from migrations_registry.sources import reader
from providers import confined
from providers.errors import Refused

pytestmark = pytest.mark.slow


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


def _raw(kind: bytes, content: bytes, size: int | None = None, name: bytes = b"schema_a.sql") -> bytes:
    """One tar header of any kind with its content; `size` may lie."""
    head = bytearray(tarfile.TarInfo(name.decode()).tobuf(tarfile.USTAR_FORMAT))
    head[124:136] = b"%011o\0" % (len(content) if size is None else size)
    head[156:157] = kind
    head[148:156] = b"%06o\0 " % sum(bytes(head[:148]) + b" " * 8 + bytes(head[156:]))
    return bytes(head) + content + bytes(-len(content) % 512)


def _packed(*parts: bytes) -> bytes:
    return gzip.compress(b"".join(parts) + bytes(1024), 9, mtime=0)


def _huge(kind: bytes) -> bytes:
    """A gzip of one header and its 300 MB: a megabyte is packed once and its bytes are said 300 times."""
    head, block = _raw(kind, b"", size=300 * 2**20), b"x" * 2**20
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    start, unit = (packer.compress(part) + packer.flush(zlib.Z_FULL_FLUSH) for part in (head, block))
    checksum = zlib.crc32(head)
    for _ in range(300):
        checksum = zlib.crc32(block, checksum)
    end = packer.flush() + struct.pack("<LL", checksum, len(head) + 300 * len(block))
    return b"\x1f\x8b\x08" + bytes(7) + start + unit * 300 + end


def _zip(members: dict[str, bytes], times: int = 1) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(times):
            for name, content in members.items():
                archive.writestr(name.format(number), content)
    return buffer.getvalue()


# What a header asks of CPython's tarfile: digits make it quadratic (CVE-2024-6232), names nest it, sizes lie.
BOMBS: dict[str, Callable[[], bytes]] = {
    "digits, 209 bytes": lambda: _packed(_raw(b"x", b"1" * 8_000)),
    "digits, 273 bytes": lambda: _packed(_raw(b"x", b"1" * 60_000), _raw(b"g", b"2" * 60_000)),
    "digits, 399 bytes": lambda: _packed(_raw(b"x", b"1" * 200_000)),
    "digits in many headers": lambda: _packed(*[_raw(b"x", b"1" * 8_000)] * 200),
    "a charset without an end": lambda: _packed(_raw(b"x", b"9" * 4_000 + b" hdrcharset=" + b"9" * 4_000)),
    "a header of a megabyte": lambda: _tar("schema_a.sql", {"comment": "x" * 2**20}),
    "a header of 300 MB": lambda: _huge(b"x"),
    "a long name of 300 MB": lambda: _huge(b"L"),
    "a long link of 300 MB": lambda: _huge(b"K"),
    "a header that says it has a petabyte": lambda: _packed(_raw(b"x", b"", size=0o77777777777)),
    "long names in long names": lambda: _packed(*[_raw(b"L", b"a" * 100)] * 5_000),
    "headers in headers": lambda: _packed(*[_raw(b"x", b"11 path=ab\n")] * 5_000),
    "sparse maps without an end": lambda: gzip.compress(_tar("schema_a.sql", {"GNU.sparse.map": "0," * 20_000 + "x"})),
    "a sparse file of a petabyte": lambda: _packed(
        _raw(b"x", b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n30 GNU.sparse.realsize=9999999999\n"),
        _raw(b"0", b"9" * 512),
    ),
    "a million zeros that are a file": lambda: _packed(_raw(b"0", bytes(64 * 2**20))),
    "a zip of zeros": lambda: _zip({"schema_a.sql": bytes(256 * 2**20)}),
    "a zip of many members": lambda: _zip({"{}.txt": b""}, times=20_001),
    "xz of zeros": lambda: lzma.compress(_raw(b"0", bytes(64 * 2**20)), preset=0),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_costs_this_process_nothing(bomb: Callable[[], bytes]) -> None:
    content = bomb()
    began, used = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(Refused, match="othing was read"):
        reader.read_upload("a.tar.gz", content)

    assert time.process_time() - began < 0.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used < 64 * 1024


@pytest.mark.parametrize("bomb", ["a header of 300 MB", "a zip of zeros", "headers in headers"])
def test_a_bomb_for_functions_is_refused_too(bomb: str) -> None:
    with pytest.raises(Refused, match="othing was"):
        source_archive.from_upload(BOMBS[bomb](), "a.zip")


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


def test_few_archives_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "_reading", threading.BoundedSemaphore(1))
    with confined._reading:
        with pytest.raises(Refused, match="other archives are being read"):
            confined.read(f"{__name__}:tell", "a.zip", b"", seconds=0.1)


def test_no_secret_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKUP_AGE_IDENTITY", "AGE-SECRET-KEY-1")

    assert "BACKUP_AGE_IDENTITY" not in dict(confined.read(f"{__name__}:tell", "a.zip", b""))
