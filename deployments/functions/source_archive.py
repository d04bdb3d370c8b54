"""Source files of a function from a folder or an uploaded zip, and back into one zip whose bytes are always the same.

In: a path or bytes. Out: path → bytes. Raises Refused, naming the file, for what must not or cannot be deployed.
"""

from __future__ import annotations

import io
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from providers import confined
from providers.errors import Refused

MAX_FILES, MAX_FILE_BYTES, MAX_TOTAL_BYTES = 500, 10 * 1024 * 1024, 20 * 1024 * 1024
SKIPPED = {"node_modules", "__MACOSX", "__pycache__"}
STAMP = (1980, 1, 1, 0, 0, 0)
ENTRYPOINTS = ("index.ts", "index.tsx", "index.js", "index.mjs", "main.ts")
BROKEN = (zlib.error, lzma.LZMAError)
Files = dict[str, bytes]


def from_folder(folder: Path) -> Files:
    """Every file below `folder` without hidden ones; a link is refused, it may lead anywhere."""
    if not folder.is_dir():
        raise Refused(f"{folder} is no folder. Nothing was kept or deployed.")
    return _checked(_walk(folder), str(folder))


def _walk(folder: Path) -> Iterator[tuple[str, bytes]]:
    for directory, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _skipped(name))
        for name in sorted(names):
            path = Path(directory) / name
            relative = path.relative_to(folder).as_posix()
            if _skipped(name):
                _refuse_secrets(relative)
                continue
            if not stat.S_ISREG(path.lstat().st_mode):
                raise Refused(f"{relative} is a link or no plain file. Nothing was kept; put the file itself there.")
            if path.stat().st_size > MAX_FILE_BYTES:
                raise _too_large(relative, path.stat().st_size)
            yield relative, path.read_bytes()


def from_upload(content: bytes, name: str) -> Files:
    """The files of an archive that somebody sent, read where it can take neither time nor memory from us."""
    return dict(confined.read("deployments.functions.source_archive:found_in", name, content))


def found_in(name: str, content: bytes) -> list[tuple[str, bytes]]:
    """What the confined process reads."""
    return list(from_zip(content, name).items())


def from_zip(content: bytes, name: str = "the upload") -> Files:
    """The files of an archive; one common top folder is taken off."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = _checked(_members(archive), name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, *BROKEN):
        raise Refused(f"{name} is no readable zip archive. Nothing was kept or deployed.") from None
    tops = {path.split("/", 1)[0] for path in files}
    if len(tops) == 1 and all("/" in path for path in files):
        return {path.split("/", 1)[1]: data for path, data in files.items()}
    return files


def _members(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    for member in archive.infolist():
        path = PurePosixPath(member.filename)
        if member.is_dir():
            continue
        if path.is_absolute() or ".." in path.parts or "\\" in member.filename or "\0" in member.filename:
            raise Refused(f"{member.filename!r} leads out of the archive. Nothing was kept.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise Refused(f"{member.filename} is a link. Nothing was kept; put the file itself there.")
        if any(_skipped(part) for part in path.parts):
            _refuse_secrets(str(path))
            continue
        with archive.open(member) as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise _too_large(member.filename, member.file_size)
        yield str(path), data


def _checked(members: Iterator[tuple[str, bytes]], where: str) -> Files:
    files: Files = {}
    total = 0
    for path, data in members:
        if path in files:
            raise Refused(f"{path} is in {where} twice. Nothing was kept.")
        files[path] = data
        total += len(data)
        if len(files) > MAX_FILES or total > MAX_TOTAL_BYTES:
            raise Refused(
                f"{where} holds more than {MAX_FILES} files or {MAX_TOTAL_BYTES // 2**20} MiB, more than Supabase "
                "takes. Nothing was kept; leave out what the function does not import."
            )
    if not files:
        raise Refused(f"{where} holds no file to deploy. Nothing was kept.")
    return files


def _skipped(name: str) -> bool:
    return name.startswith(".") or name in SKIPPED


def _refuse_secrets(path: str) -> None:
    if PurePosixPath(path).name.startswith(".env"):
        raise Refused(f"{path} may hold secrets and is never kept. Nothing was kept; set secrets by name instead.")


def _too_large(path: str, size: int) -> Refused:
    return Refused(f"{path} has {size} bytes, {MAX_FILE_BYTES} are allowed for one file. Nothing was kept.")


def pack(files: Mapping[str, bytes]) -> bytes:
    """One zip, the same bytes for the same files wherever and whenever it is made."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(files):
            archive.writestr(zipfile.ZipInfo(path, STAMP), files[path])
    return buffer.getvalue()


def unpack(content: bytes) -> Files:
    """The inverse of `pack`."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def entrypoint(paths: list[str], wanted: str = "") -> str:
    """The file that Supabase runs: the one asked for, or the usual one. Raises Refused."""
    for name in (wanted,) if wanted else ENTRYPOINTS:
        if name in paths:
            return name
    asked = f"no file {wanted}" if wanted else f"none of {', '.join(ENTRYPOINTS)}"
    raise Refused(
        f"The bundle holds {asked}. Nothing was requested; name the entry point. It holds: {', '.join(paths[:10])}."
    )
