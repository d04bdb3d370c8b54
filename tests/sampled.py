"""pytest plugin (`-p tests.sampled`): of a test marked `sampled(parts, by=…)` a run takes one case in so many.

In: the collected tests and the seed. Out: those of this run, of each kind (the parameter named by `by`) at least one.
A soak takes all, and so does whoever names a test.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

import pytest

from tests import sampling

MARK = "sampled(parts, by=None): a run takes one case in so many, at least one of each kind (the parameter `by`)"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARK)


def pytest_report_header() -> str:
    return f"sampled cases: {'all' if sampling.WHOLE else f'those of OPS_TEST_SEED={sampling.SEED}'}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if any("::" in argument for argument in config.args):
        return
    out = left_out(items)
    config.hook.pytest_deselected(items=list(out))
    items[:] = [item for item in items if item not in out]


def left_out(items: list[pytest.Item]) -> set[pytest.Item]:
    """Of the tests that are marked, all but the share of each test and kind."""
    groups = {item: group for item in items if (group := _group(item))}
    chosen: set[str] = set()
    for (_, _, parts), cases in groupby(sorted(groups.items(), key=itemgetter(1)), key=itemgetter(1)):
        chosen.update(sampling.share([item.nodeid for item, _ in cases], parts))
    return {item for item in groups if item.nodeid not in chosen}


def _group(item: pytest.Item) -> tuple[str, str, int] | None:
    """The test without its case, the kind of the case, and how many parts it is cut into."""
    mark = item.get_closest_marker("sampled")
    if mark is None:
        return None
    by = mark.kwargs.get("by")
    kind = repr(item.callspec.params[by]) if by else ""  # type: ignore[attr-defined]
    return item.nodeid.partition("[")[0], kind, mark.args[0]
