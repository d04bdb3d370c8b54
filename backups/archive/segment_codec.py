"""One segment between a COPY stream and a stored object: compress, encrypt, hash; and all of it back, checked.

In: blocks of bytes. Out: Packed bytes with digests, or blocks again. Raises TooLarge and Damaged.
Imports neither Django nor providers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from queue import Empty, Full, Queue
from threading import Event
from types import TracebackType
from typing import Self

import pyrage
import zstandard

from backups.archive.manifest import Segment

LEVEL = 1
TARGET_BYTES = 16 << 20
CAP_BYTES = 32 << 20
BLOCK_BYTES = 1 << 20
BLOCKS_AHEAD = 16  # what a server loads while the next object is opened
LOOK_SECONDS = 0.5


class TooLarge(Exception):
    """The segment would be larger than the cap: its range has to be split."""


class Damaged(Exception):
    """An object is not what the manifest says; the message says in what way."""


@dataclass(frozen=True)
class Packed:
    data: bytes | bytearray
    raw_bytes: int
    raw_sha256: str


def pack(blocks: Iterable[bytes | memoryview], recipients: Sequence[str], cap: int | None = None) -> Packed:
    """Compress each block as a zstd frame with its checksum (level 1) and, with recipients, encrypt all with age."""
    raw, raw_bytes, held = hashlib.sha256(), 0, bytearray()
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
    for block in blocks:
        raw.update(block)
        raw_bytes += len(block)
        held += compressor.compress(block)
        if len(held) > (cap or CAP_BYTES):
            raise TooLarge
    return Packed(_encrypted(held, recipients) if recipients else held, raw_bytes, raw.hexdigest())


class _Reading:
    """Bytes as a file that is read once, without another copy of them."""

    def __init__(self, data: bytearray) -> None:
        self._left = memoryview(data)

    def read(self, size: int) -> bytes:
        taken, self._left = self._left[:size], self._left[size:]
        return bytes(taken)


def _encrypted(plain: bytearray, recipients: Sequence[str]) -> bytes:
    sealed = BytesIO()
    pyrage.encrypt_io(_Reading(plain), sealed, [pyrage.x25519.Recipient.from_str(item) for item in recipients])
    return sealed.getvalue()


def check_stored(data: bytes, segment: Segment) -> None:
    """Compare an object with the manifest. Raises Damaged."""
    if len(data) != segment.stored_bytes:
        raise Damaged(f"{segment.key} has {len(data)} bytes, the manifest says {segment.stored_bytes}")
    if hashlib.sha256(data).hexdigest() != segment.stored_sha256:
        raise Damaged(f"{segment.key} was altered: its SHA-256 is not the manifest's")


def unpack(data: bytes, segment: Segment, identities: Sequence[str]) -> Iterator[bytes]:
    """Check, decrypt and decompress; yields the COPY stream and raises Damaged at its end when it is not the same."""
    check_stored(data, segment)
    plain = decrypt(data, segment, identities) if segment.encrypted else data
    raw, raw_bytes = hashlib.sha256(), 0
    try:
        with zstandard.ZstdDecompressor().stream_reader(plain, read_across_frames=True) as reader:
            while block := reader.read(BLOCK_BYTES):
                raw.update(block)
                raw_bytes += len(block)
                yield block
    except zstandard.ZstdError as error:
        raise Damaged(f"{segment.key} cannot be decompressed: {error}") from None
    if raw_bytes != segment.raw_bytes or raw.hexdigest() != segment.raw_sha256:
        raise Damaged(f"{segment.key} holds another COPY stream than the manifest says")


def decrypt(data: bytes, segment: Segment, identities: Sequence[str]) -> bytes:
    if not identities:
        raise Damaged(f"{segment.key} is encrypted and no identity is configured (BACKUP_AGE_IDENTITY)")
    try:
        return pyrage.decrypt(data, [pyrage.x25519.Identity.from_str(item) for item in identities])
    except pyrage.DecryptError as error:
        raise Damaged(f"{segment.key} cannot be decrypted with the configured identity: {error}") from None


@dataclass(frozen=True)
class End:
    """Of a segment; `error` is why it ended early."""

    error: Exception | None = None


class Ahead:
    """Segment after segment read in a thread, a few blocks before they are taken, so that both sides work at once.

    In: for each segment what opens it. Out: its blocks, by `wait` and `blocks`; what reading raised is raised there.
    """

    def __init__(self, segments: Iterable[Callable[[], Iterator[bytes]]]) -> None:
        self._queue: Queue[bytes | End] = Queue(BLOCKS_AHEAD)
        self._next: bytes | End | None = None
        self._left = Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reading")
        self._thread.submit(self._read, segments)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._left.set()
        self._thread.shutdown()

    def wait(self, seconds: float, meanwhile: Callable[[], object]) -> None:
        """Until the next segment's first block is there, or its error; `meanwhile` is called every so many seconds."""
        while self._next is None:
            try:
                self._next = self._queue.get(timeout=seconds)
            except Empty:
                meanwhile()
        if isinstance(self._next, End) and self._next.error:
            raise self._next.error

    def blocks(self) -> Iterator[bytes]:
        """The rest of this segment."""
        while True:
            item, self._next = self._next or self._queue.get(), None
            if isinstance(item, End):
                self._next = item
                break
            yield item
        if item.error:
            raise item.error

    def skip(self) -> None:
        """To the next segment, whatever became of this one."""
        while not isinstance(self._next, End):
            self._next = self._queue.get()
        self._next = None

    def _read(self, segments: Iterable[Callable[[], Iterator[bytes]]]) -> None:
        for opened in segments:
            end = End()
            try:
                for block in opened():
                    if not self._put(block):
                        return
            except Exception as error:  # told to whoever takes the blocks
                end = End(error)
            if not self._put(end):
                return

    def _put(self, item: bytes | End) -> bool:
        """False once nobody takes any more."""
        while not self._left.is_set():
            try:
                self._queue.put(item, timeout=LOOK_SECONDS)
            except Full:
                continue
            return True
        return False
