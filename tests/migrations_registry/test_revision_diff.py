"""Revisions that would take difflib minutes to compare are not compared while a page waits."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from migrations_registry.services.annotated_lines import MOST_COMPARED, diff_of


def _file(lines: list[str], previous: Any = None, revision: int = 1) -> Any:
    return SimpleNamespace(data="\n".join(lines).encode(), previous=previous, revision=revision)


def _repeating(count: int, step: int) -> list[str]:
    """Each line stands so often that it is compared with all its likes, and not so often that it is left out."""
    return [f"SELECT {number * step % (count // 90)};" for number in range(count)]


@pytest.mark.parametrize("count", [1_000, MOST_COMPARED, MOST_COMPARED + 1, 16_000, 100_000])
def test_two_revisions_are_compared_at_once_or_not_at_all(count: int) -> None:
    file = _file(_repeating(count, 7), previous=_file(_repeating(count, 1)), revision=2)
    began = time.thread_time()

    shown = diff_of(file)

    assert time.thread_time() - began < 1
    assert (len(shown) == 1) is (count > MOST_COMPARED)
    assert shown[0][1]
