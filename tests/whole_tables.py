"""While tests run, the portal changes no whole table: an UPDATE without any condition has lost its rows' names.

Tests themselves may: they arrange.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db.models import QuerySet
from django.db.models.sql.compiler import SQLUpdateCompiler

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def no_update_of_a_whole_table() -> Iterator[None]:
    execute = SQLUpdateCompiler.execute_sql

    def execute_with_condition(self: SQLUpdateCompiler, *args: Any, **kwargs: Any) -> int:
        named = self.query.where or not _asked_by_the_portal()
        assert named, f"It would change every {self.query.model._meta.verbose_name}: a condition is lost."
        return execute(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SQLUpdateCompiler, "execute_sql", execute_with_condition)
        yield


def _asked_by_the_portal() -> bool:
    """Whether the nearest caller that is no library is; a query set's own method is its caller's word."""
    frame = sys._getframe(2)
    while frame:
        path = Path(frame.f_code.co_filename)
        ours = path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / ".venv")
        if ours and not isinstance(frame.f_locals.get("self"), QuerySet):
            return not path.is_relative_to(ROOT / "tests")
        frame = frame.f_back  # type: ignore[assignment]
    return False
