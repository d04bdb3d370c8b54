"""A job that a page asks for runs in the next round, and only once."""

from __future__ import annotations

import pytest

from operations.engine import tick


@pytest.mark.django_db
def test_a_hastened_job_runs_in_the_next_round() -> None:
    ran: list[int] = []
    job = tick.Job("test.read", 3_600.0, lambda: ran.append(1))

    tick.run_job(job)
    tick.run_job(job)
    assert len(ran) == 1

    tick.hasten("test.read")
    tick.run_job(job)
    tick.run_job(job)
    assert len(ran) == 2
