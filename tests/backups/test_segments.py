"""Segments are zstd frames one after the other: any reader of zstd opens them, and none ends early unseen."""

from __future__ import annotations

import hashlib
import subprocess

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from backups.archive.manifest import Segment
from backups.archive.segment_codec import Damaged, pack, unpack

BLOCKS = st.lists(st.binary(min_size=1, max_size=5_000), min_size=1, max_size=20)


def _segment(data: bytes, raw: bytes) -> Segment:
    return Segment(
        key="s",
        start="(0,0)",
        end="",
        rows=0,
        digest="0",
        raw_bytes=len(raw),
        raw_sha256=hashlib.sha256(raw).hexdigest(),
        stored_bytes=len(data),
        stored_sha256=hashlib.sha256(data).hexdigest(),
        encrypted=False,
    )


@given(BLOCKS)
def test_what_was_packed_comes_back(blocks: list[bytes]) -> None:
    packed = pack(map(memoryview, blocks), ())
    segment = _segment(bytes(packed.data), b"".join(blocks))
    assert (packed.raw_bytes, packed.raw_sha256) == (segment.raw_bytes, segment.raw_sha256)
    assert b"".join(unpack(bytes(packed.data), segment, ())) == b"".join(blocks)


def test_the_zstd_command_reads_all_frames() -> None:
    blocks = [bytes([number]) * 200_000 for number in range(5)]
    packed = pack(blocks, ())
    read = subprocess.run(["zstd", "-dc"], input=bytes(packed.data), capture_output=True, check=True).stdout
    assert read == b"".join(blocks)


def test_a_segment_of_one_frame_reads_the_same() -> None:
    raw = b"as it was stored before" * 50_000
    stream = zstandard.ZstdCompressor(level=1, write_checksum=True).compressobj()
    data = stream.compress(raw) + stream.flush()
    assert b"".join(unpack(data, _segment(data, raw), ())) == raw


def test_a_segment_that_lacks_its_last_frame_is_damaged() -> None:
    blocks = [b"first" * 1000, b"last" * 1000]
    first = bytes(pack(blocks[:1], ()).data)
    with pytest.raises(Damaged, match="another COPY stream"):
        list(unpack(first, _segment(first, b"".join(blocks)), ()))
