"""Source files of a function: what is taken from folders and archives, and what is refused, each by name."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from deployments.functions import source_archive
from providers.errors import Refused


def archive(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return buffer.getvalue()


def test_a_folder_and_its_archive_are_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "index.ts").write_bytes(b"1")
    (tmp_path / "lib" / "b.ts").write_bytes(b"2")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_bytes(b"hidden")

    folder = source_archive.from_folder(tmp_path)

    assert folder == {"index.ts": b"1", "lib/b.ts": b"2"}
    assert source_archive.from_zip(archive(**{"hello/lib/b.ts": b"2", "hello/index.ts": b"1"})) == folder
    assert source_archive.unpack(source_archive.pack(folder)) == folder
    assert source_archive.pack(folder) == source_archive.pack(dict(reversed(folder.items())))


def test_folders_that_cannot_be_deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_archive, "MAX_FILE_BYTES", 10)
    with pytest.raises(Refused, match="holds no file"):
        source_archive.from_folder(tmp_path)
    with pytest.raises(Refused, match="is no folder"):
        source_archive.from_folder(tmp_path / "nothing")
    (tmp_path / "large.ts").write_bytes(b"x" * 11)
    with pytest.raises(Refused, match=r"large\.ts has 11 bytes, 10 are allowed"):
        source_archive.from_folder(tmp_path)
    (tmp_path / "large.ts").unlink()
    (tmp_path / "index.ts").symlink_to("/etc/hostname")
    with pytest.raises(Refused, match=r"index\.ts is a link"):
        source_archive.from_folder(tmp_path)
    (tmp_path / "index.ts").unlink()
    (tmp_path / ".env.local").write_text("KEY=secret")
    with pytest.raises(Refused, match="may hold secrets"):
        source_archive.from_folder(tmp_path)


def damaged() -> bytes:
    """An archive whose compressed bytes are none."""
    whole = bytearray(archive(**{"index.ts": b"0123456789" * 4}))
    at = 30 + len("index.ts")
    whole[at : at + 4] = b"\xff" * 4
    return bytes(whole)


BAD = [
    (b"no zip", "no readable zip"),
    (damaged(), "no readable zip"),
    (archive(), "holds no file"),
    (archive(**{"../index.ts": b"1"}), "leads out of the archive"),
    (archive(**{"/index.ts": b"1"}), "leads out of the archive"),
    (archive(**{"a\\b.ts": b"1"}), "leads out of the archive"),
    (archive(**{"hello/.env": b"K=V"}), "may hold secrets"),
    (archive(**{"bomb.ts": b"0" * 40}), "are allowed for one file"),
    (archive(**{f"{n}.ts": b"0" * 9 for n in range(8)}), "more than"),
]


@pytest.mark.parametrize(("content", "said"), BAD, ids=range(len(BAD)))
def test_archives_that_are_refused(content: bytes, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_archive, "MAX_FILE_BYTES", 20)
    monkeypatch.setattr(source_archive, "MAX_TOTAL_BYTES", 60)

    with pytest.raises(Refused, match=said):
        source_archive.from_zip(content)


def test_the_entry_point_is_found_or_asked_for() -> None:
    assert source_archive.entrypoint(["a.ts", "index.ts"]) == "index.ts"
    assert source_archive.entrypoint(["a.ts", "index.ts"], "a.ts") == "a.ts"
    with pytest.raises(Refused, match=r"none of index\.ts"):
        source_archive.entrypoint(["a.ts"])
