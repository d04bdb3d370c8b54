"""pytest plugin (`-p tests.sampled`): how many of the collected tests a run takes.

In: the collected tests and the seed. Of a test marked `sampled(parts, by=…)` one case in so many, of each kind (the
parameter named by `by`) at least one; a soak takes all, and so does whoever names a test. Of those that need a
database, a server or a process a run of the whole suite takes one in `sampling.PARTS`, other ones each day;
whoever names a file or a folder gets all of its tests.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

import pytest

from tests import sampling

# Fixtures and marks of tests that need a database, a server or a process.
SLOW = {"db", "transactional_db", "drill", "sampelit_template"} | {"django_db", "browser", "s3", "slow", "worker"}
MARK = "sampled(parts, by=None): a run takes one case in so many, at least one of each kind (the parameter `by`)"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARK)


def pytest_report_header() -> str:
    if sampling.WHOLE:
        return "sampled cases: all"
    return (
        f"sampled cases: those of OPS_TEST_SEED={sampling.SEED}; a run without names takes one slow test in "
        f"{sampling.PARTS}, those of OPS_TEST_TURN={sampling.TURN} (OPS_TEST_PARTS=1: all)"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if any("::" in argument for argument in config.args):
        return
    out = left_out(items)
    whole = {config.rootpath / place for place in config.getini("testpaths")}
    if {config.invocation_params.dir / argument for argument in config.args} == whole:
        out |= not_today([item for item in items if item not in out])
    config.hook.pytest_deselected(items=list(out))
    items[:] = [item for item in items if item not in out]


def not_today(items: list[pytest.Item]) -> set[pytest.Item]:
    """Of the slow tests all but one in `sampling.PARTS`."""
    slow = [
        item
        for item in items
        if SLOW & {*getattr(item, "fixturenames", ()), *(mark.name for mark in item.iter_markers())}
    ]
    today = set(sampling.share([item.nodeid for item in slow], sampling.PARTS, sampling.TURN))
    return {item for item in slow if item.nodeid not in today}


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
