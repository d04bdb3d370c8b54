"""Segments are read in a thread while the server loads: nothing is mixed up, and nothing goes on afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from backups.archive.segment_codec import BLOCKS_AHEAD, Ahead, Damaged


def whole(*blocks: bytes):
    return lambda: iter(blocks)


def broken(*blocks: bytes) -> Iterator[bytes]:
    yield from blocks
    raise Damaged("cut")


def test_each_segment_gives_its_own_blocks() -> None:
    with Ahead([whole(b"a", b"b"), whole(), whole(b"c")]) as reading:
        found = [(list(reading.blocks()), reading.skip())[0] for _ in range(3)]

    assert found == [[b"a", b"b"], [], [b"c"]]


def test_an_error_belongs_to_its_segment_and_the_next_one_is_whole() -> None:
    with Ahead([lambda: broken(b"a"), whole(b"b")]) as reading:
        with pytest.raises(Damaged, match="cut"):
            list(reading.blocks())
        reading.skip()

        assert list(reading.blocks()) == [b"b"]


def test_an_error_before_the_first_block_is_told_while_waiting() -> None:
    with Ahead([broken]) as reading, pytest.raises(Damaged, match="cut"):
        reading.wait(1, lambda: None)


def test_what_was_not_taken_is_skipped() -> None:
    with Ahead([whole(*[b"x"] * 50), whole(b"b")]) as reading:
        next(reading.blocks())
        reading.skip()

        assert list(reading.blocks()) == [b"b"]


def test_no_more_than_a_few_blocks_are_ahead() -> None:
    taken = []

    def counted() -> Iterator[bytes]:
        for number in range(100):
            taken.append(number)
            yield b"x"

    with Ahead([counted]) as reading:
        reading.wait(1, lambda: None)
        time.sleep(0.05)
        assert len(taken) <= BLOCKS_AHEAD + 2
    ended = len(taken)
    time.sleep(0.05)

    assert len(taken) == ended
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reading")]


def test_somebody_is_spoken_to_while_an_object_does_not_come() -> None:
    come, spoken = threading.Event(), []

    def slow() -> Iterator[bytes]:
        come.wait(10)
        yield b"late"

    with Ahead([slow]) as reading:
        reading.wait(0.01, lambda: (spoken.append(1), len(spoken) == 3 and come.set()))

        assert (list(reading.blocks()), len(spoken) >= 3) == ([b"late"], True)


def test_whoever_stops_waiting_does_not_hang() -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    come = threading.Event()
    with pytest.raises(KeyboardInterrupt), Ahead([lambda: iter([b"x"] if come.wait(0.2) else [])]) as reading:
        reading.wait(0.01, stop)
