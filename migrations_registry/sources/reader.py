"""Read (path, bytes) of possible migrations from a directory, an archive or a Git repository, within bounds.

Nothing is written, no link is followed out of the tree, nothing is unpacked to disk. Raises Refused with the reason.
"""

from __future__ import annotations

import io
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from migrations_registry.analysis.parsing.parser import MAX_FILE_BYTES
from migrations_registry.sources.discovery import classify
from providers import confined, git
from providers.errors import Refused

MAX_FILES = 2_000
MAX_MEMBERS = 20_000
MAX_TOTAL_BYTES = 64 * 1024 * 1024
MAX_HEADER_BYTES = 8 * 1024  # tarfile's time grows with the square of it (CVE-2024-6232)
MAX_ARCHIVE_BYTES = 64 * 1024 * 1024
_SKIPPED = {".git", "node_modules", ".venv", "venv", "__pycache__", ".data"}

Files = list[tuple[str, bytes]]


def read_repository(url: str, *, seconds: float = git.TIMEOUT_SECONDS, local: bool = False) -> Files:
    """A Git URL with an optional @commit, within so many seconds; only people at the shell name `local` ones."""
    return _bounded(git.read_files(url, wanted=_is_wanted, limit=MAX_TOTAL_BYTES, seconds=seconds, local=local))


def read_source(source: str, *, seconds: float = git.TIMEOUT_SECONDS) -> Files:
    """What a person at the shell names: a directory, an archive file, or a Git URL with an optional @commit."""
    if git.is_url(source):
        return read_repository(source, seconds=seconds, local=True)
    path = Path(source)
    folder, _, revision = source.rpartition("@")
    if not path.exists() and folder and Path(folder).is_dir():
        return read_source(f"{Path(folder).resolve().as_uri()}@{revision}", seconds=seconds)
    if path.is_dir():
        return _bounded(_directory(path))
    if not path.is_file():
        raise Refused(f"{source} is no directory, archive or Git URL; nothing was read.")
    if path.stat().st_size > MAX_ARCHIVE_BYTES:
        raise Refused(f"{source} is larger than {MAX_ARCHIVE_BYTES} bytes; nothing was read.")
    return read_upload(path.name, path.read_bytes())


def read_upload(name: str, data: bytes) -> Files:
    """One uploaded SQL file or archive."""
    if name.lower().endswith(".sql"):
        return _bounded([(safe_path(name), data)])
    if len(data) > MAX_ARCHIVE_BYTES:
        raise Refused(f"{name} is larger than {MAX_ARCHIVE_BYTES} bytes; nothing was read.")
    return confined.read("migrations_registry.sources.reader:read_archive", name, data)


def read_archive(name: str, data: bytes) -> Files:
    """A zip or tar archive (gz, bz2, xz) in memory; `read_upload` asks for it in a confined process."""
    try:
        if zipfile.is_zipfile(io.BytesIO(data)):
            return _bounded(_zip(data))
        return _bounded(_tar(data))
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        zlib.error,
        lzma.LZMAError,
    ) as error:
        raise Refused(f"{name} is no readable zip or tar archive ({error}); nothing was read.") from None


def safe_path(name: str) -> str:
    """A member's path inside the archive. Raises Refused for absolute paths, drives, .. and control characters."""
    path = PurePosixPath(name.replace("\\", "/"))
    tricks = path.is_absolute() or ".." in path.parts or ":" in name or any(ord(character) < 32 for character in name)
    if tricks or not path.parts:
        raise Refused(f"the archive names a path outside itself ({name!r}); nothing was read.")
    return str(path)


def _is_wanted(path: str) -> bool:
    return classify(path) is not None and not _SKIPPED & set(path.split("/")[:-1])


def _bounded(files: Iterator[tuple[str, bytes]] | Files) -> Files:
    taken: dict[str, bytes] = {}
    total = 0
    for path, data in files:
        if path in taken:
            raise Refused(f"the source holds {path} twice; nothing was read.")
        taken[path] = data
        total += len(data)
        if len(taken) > MAX_FILES or total > MAX_TOTAL_BYTES:
            raise Refused(f"the source holds more than {MAX_FILES} files or {MAX_TOTAL_BYTES} bytes; nothing was read.")
    return list(taken.items())


def _directory(root: Path) -> Iterator[tuple[str, bytes]]:
    top = root.resolve()
    for folder, names, files in os.walk(top, followlinks=False):
        names[:] = sorted(name for name in names if name not in _SKIPPED)
        for name in sorted(files):
            path = Path(folder) / name
            relative = path.relative_to(top).as_posix()
            if not _is_wanted(relative):
                continue
            if not path.is_file() or not path.resolve().is_relative_to(top):
                raise Refused(f"{relative} is a link out of {root} or no ordinary file; nothing was read.")
            if path.stat().st_size > MAX_FILE_BYTES:
                raise Refused(f"{relative} is larger than {MAX_FILE_BYTES} bytes; nothing was read.")
            yield relative, path.read_bytes()


def _zip(data: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        _check_count(len(members))
        for member in members:
            path = safe_path(member.filename)
            is_link = (member.external_attr >> 16) & 0o170000 == 0o120000
            if member.is_dir() or not _is_wanted(path):
                continue
            if is_link or member.flag_bits & 1:
                raise Refused(f"{path} is a link or encrypted; nothing was read.")
            with archive.open(member) as stream:
                yield path, _capped(stream.read(MAX_FILE_BYTES + 1), path)


class _Member(tarfile.TarInfo):
    """A member whose extended headers are small: tarfile would take any number of bytes of them into memory."""

    def _proc_pax(self, tarfile: tarfile.TarFile) -> tarfile.TarInfo:
        self._refuse_large()
        return super()._proc_pax(tarfile)  # type: ignore[misc]

    def _proc_gnulong(self, tarfile: tarfile.TarFile) -> tarfile.TarInfo:
        self._refuse_large()
        return super()._proc_gnulong(tarfile)  # type: ignore[misc]

    def _refuse_large(self) -> None:
        if self.size > MAX_HEADER_BYTES:
            raise Refused(f"the archive holds a header of {self.size:,} bytes; nothing was read.")


def _tar(data: bytes) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r|*", tarinfo=_Member) as archive:
        for count, member in enumerate(archive, 1):
            _check_count(count)
            if member.offset_data > 16 * MAX_TOTAL_BYTES:
                raise Refused("the archive unpacks to far more than a repository of migrations; nothing was read.")
            path = safe_path(member.name) if member.name not in (".", "./") else ""
            if member.isdir() or not _is_wanted(path):
                continue
            stream = archive.extractfile(member) if member.isreg() else None
            if stream is None:
                raise Refused(f"{path} is a link or a device; nothing was read.")
            yield path, _capped(stream.read(MAX_FILE_BYTES + 1), path)


def _check_count(count: int) -> None:
    if count > MAX_MEMBERS:
        raise Refused(f"the archive holds more than {MAX_MEMBERS} members; nothing was read.")


def _capped(data: bytes, path: str) -> bytes:
    if len(data) > MAX_FILE_BYTES:
        raise Refused(f"{path} is larger than {MAX_FILE_BYTES} bytes; nothing was read.")
    return data
