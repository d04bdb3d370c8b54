"""A store in a local directory: 0700, fsync of file and directory, an atomic link that refuses to overwrite.

In: keys with "/" and bytes. Out: bytes, facts, ProviderError. A half-written object never has a final name.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from providers.storage.base import AlreadyStored, Missing, Stored, StoreError, safe_key

INCOMING = ".incoming"


class LocalStore:
    """Objects are files under `root`; `.incoming/` holds what is being written."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = root.as_uri()

    def __str__(self) -> str:
        return self.url

    def put_once(self, key: str, data: bytes | bytearray) -> Stored:
        """Write a new object durably. Raises AlreadyStored when the key exists with other content."""
        target = self.root / safe_key(key)
        digest = hashlib.sha256(data).hexdigest()
        try:
            self._make(target.parent)
            self._make(self.root / INCOMING)
            self._write(target, data)
        except FileExistsError:
            return self._existing(key, digest)
        except OSError as error:
            raise StoreError(self._explain(error, key)) from None
        return Stored(key, len(data), digest, datetime.now(UTC))

    def _write(self, target: Path, data: bytes | bytearray) -> None:
        incoming = self.root / INCOMING / f"{os.getpid()}-{secrets.token_hex(6)}"
        try:
            descriptor = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.link(incoming, target)
        finally:
            incoming.unlink(missing_ok=True)
        _sync(target.parent)

    def _existing(self, key: str, digest: str) -> Stored:
        existing = self.head(key)
        if existing is None or existing.sha256 != digest:
            raise AlreadyStored(f"{key} already lies in {self.url} with other content. It was not overwritten.")
        return existing

    def get(self, key: str) -> bytes:
        try:
            return self._file(key).read_bytes()
        except FileNotFoundError:
            raise Missing(f"{key} is missing from {self.url}. Look for who removed it; nothing was changed.") from None
        except OSError as error:
            raise StoreError(self._explain(error, key, "read")) from None

    def head(self, key: str) -> Stored | None:
        try:
            path = self._file(key)
            status = path.stat()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(self._explain(error, key, "read")) from None
        return Stored(key, status.st_size, digest, datetime.fromtimestamp(status.st_mtime, UTC))

    def _file(self, key: str) -> Path:
        """Never a pipe, which has no end, and never what a link outside the store leads to."""
        path = self.root / safe_key(key)
        try:
            inside = path.resolve().is_relative_to(self.root.resolve())
        except (OSError, RuntimeError):  # links that lead in a circle
            inside = False
        if not inside:
            raise StoreError(f"{key} in {self.url} leads out of the store. Nothing was read from it. Remove the link.")
        if path.exists() and not path.is_file():
            raise StoreError(f"{key} in {self.url} is no file. Nothing was read from it. Look for who put it there.")
        return path

    def list(self, prefix: str = "") -> Iterator[Stored]:
        """Every finished object under a prefix that ends with "/" (or all); digests are left empty."""
        base = self.root / prefix
        if not base.is_dir():
            return
        for path in sorted(item for item in base.rglob("*") if item.is_file()):
            key = path.relative_to(self.root).as_posix()
            if not key.startswith(INCOMING):
                status = path.stat()
                yield Stored(key, status.st_size, "", datetime.fromtimestamp(status.st_mtime, UTC))

    def folders(self, prefix: str) -> Iterator[str]:
        """Names right below a prefix that ends with "/" and have something below them; what lies there is not read."""
        base = self.root / prefix
        if base.is_dir():
            with os.scandir(base) as entries:
                yield from (entry.name for entry in entries if entry.is_dir(follow_symlinks=False))

    def delete(self, key: str) -> None:
        try:
            (self.root / safe_key(key)).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(self._explain(error, key, "delete")) from None

    def retention_of(self, key: str) -> datetime | None:
        """A directory has no Object Lock."""
        safe_key(key)
        return None

    def _make(self, directory: Path) -> None:
        if directory.is_dir():
            return
        self._make(directory.parent)
        directory.mkdir(mode=0o700, exist_ok=True)
        _sync(directory.parent)

    def _explain(self, error: OSError, key: str, verb: str = "write") -> str:
        advice = {
            errno.ENOSPC: "The disk is full: free space and run again.",
            errno.EDQUOT: "The quota is used up: free space and run again.",
            errno.EFBIG: "The file size limit is reached: raise it and run again.",
            errno.EACCES: "Give this user the directory and run again.",
            errno.EROFS: "The directory is on a read-only disk: choose another.",
        }.get(error.errno or 0, "Check the directory and run again.")
        assurance = " No object was left half-written." if verb == "write" else ""
        return f"The store {self.url} could not {verb} {key}: {error.strerror or error}.{assurance} {advice}"


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
