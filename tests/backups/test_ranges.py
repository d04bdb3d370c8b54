"""Ranges cover a table once, without a hole, whatever was stored of the ranges before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backups.archive.segment_codec import TARGET_BYTES
from backups.export.copy_job import Job
from backups.export.ctid_ranges import Cutter
from backups.export.worker_pool import SMALL_BYTES, TOGETHER, in_heaps

PAGE = 8192


def sizes(pages: int, members: int, stored_per_page: float = PAGE * 0.45) -> list[int]:
    cutter, found = Cutter(pages, pages * PAGE, members), []
    for start, end in cutter:
        found.append((end[0] if end else pages) - start[0])
        cutter.learn(found[-1], int(found[-1] * stored_per_page))
    return found


@given(st.integers(0, 200_000), st.integers(1, 3), st.lists(st.floats(0, 20_000), min_size=1, max_size=5))
def test_every_page_is_in_one_range_and_the_last_is_open(pages: int, members: int, stored: list[float]) -> None:
    cutter, next_page, ends = Cutter(pages, pages * PAGE, members), 0, []
    for number, (start, end) in enumerate(cutter):
        assert start == (next_page, 0)
        next_page = end[0] if end else max(pages, next_page)
        ends.append(end)
        cutter.learn(next_page - start[0], int(stored[number % len(stored)] * (next_page - start[0])))

    assert next_page >= pages
    assert ends[-1] is None
    assert None not in ends[:-1]


def test_several_members_end_together() -> None:
    whole = int(TARGET_BYTES / (PAGE * 0.45))
    cut = sizes(whole * 20, members=2)

    assert max(cut) <= whole
    assert max(cut[-3:]) <= whole // 4 + 1
    assert len(cut) <= 20 + 6


def test_one_member_and_small_tables_get_whole_segments() -> None:
    whole = int(TARGET_BYTES / (PAGE * 0.45))

    assert len(sizes(whole * 20, members=1)) == 20
    assert len(sizes(whole * 3, members=2)) == 3
    assert len(sizes(5, members=2)) == 1


def test_small_tables_go_together_and_a_large_one_is_asked_for_range_by_range() -> None:
    jobs = [Job("s", str(n), (), "csv", True, "d", (0, 0), None, 1, SMALL_BYTES) for n in range(TOGETHER + 2)]
    large = Job("s", "large", (), "csv", True, "d", (0, 0), (9, 0), 10, SMALL_BYTES + 1)
    taken: list[Job] = []
    heaps = in_heaps(job for job in [*jobs, large, large] if not taken.append(job))

    assert (next(heaps), len(taken)) == (jobs[:TOGETHER], TOGETHER)
    assert (next(heaps), len(taken)) == (jobs[TOGETHER:], TOGETHER + 3)
    assert (next(heaps), len(taken)) == ([large], TOGETHER + 3)
    assert [*heaps] == [[large]]
