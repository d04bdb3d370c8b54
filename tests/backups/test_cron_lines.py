"""A line that never fires, or too often, is no schedule; and one policy's error is none of the others' business."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from backups.cron_line import LEAST_GAP, firings, why_no_schedule
from backups.models import Policy, Slot
from backups.models.policy import cron_line
from backups.policies import scheduler
from backups.policies.cron import next_slots
from operations.accounts import system_user
from operations.models import Environment
from operations.periodic.isolation import SomeFailed

NEVER = [f"0 0 {day} {month} *" for day, months in ((31, "2 4 6 9 11"), (30, "2")) for month in months.split()]
OFTEN = ["* * * * *", "* 9 * * *", "*/2 * * * *", "0,1 3 1 1 *", "58,0 * * * *", "10-12 * * * *", "*/4 0 1 * *"]
NO_LINES = ["R R * * *", "H H * * *", "0 0 L * *", "0 0 * * 5L", "0 0 ? * *", "0 0 1 * 1#2", "@daily", "0 0 * *"]
NO_LINES += [
    "0 0 * * * *",
    "60 * * * *",
    "0 24 * * *",
    "0 0 0 * *",
    "0 0 * 13 *",
    "a b c d e",
    "*/0 * * * *",
    "0 0 1W * *",
]
GOOD = ["15 * * * *", "*/5 * * * *", "*/15 * * * *", "30 3 * * *", "0 0 29 2 *", "0 9 * * mon-fri", "20 */6 * * *"]
GOOD += ["0 3 1,15 * *", "0 3 1-29/7 * *", "5 4 * jan,JUL sun", "0 0 31 * *", "59 23 31 12 *", "0 0 30 2 1"]


@pytest.mark.parametrize("line", [*NEVER, *OFTEN, *NO_LINES])
def test_what_is_no_schedule_is_refused_with_the_reason(line: str) -> None:
    why = why_no_schedule(line)

    assert ("never" in why) is (line in NEVER)
    assert ("twice" in why) is (line in OFTEN)
    with pytest.raises(ValidationError, match=why[:20]):
        cron_line(line)


@pytest.mark.parametrize("line", GOOD)
def test_a_schedule_is_one(line: str) -> None:
    assert why_no_schedule(line) == ""
    cron_line(line)
    slots = next_slots(line, "Europe/Madrid", datetime(2026, 11, 29, tzinfo=UTC), 2)
    assert len(slots) == 2
    assert slots[1] - slots[0] >= LEAST_GAP


def test_what_never_fires_is_no_error_of_whoever_asks() -> None:
    assert firings("0 0 30 2 *", datetime(2026, 1, 1), 5) == []  # noqa: DTZ001
    assert next_slots("0 0 30 2 *", "UTC", datetime(2026, 1, 1, tzinfo=UTC), 5) == []


@pytest.mark.django_db
def test_one_policy_that_breaks_leaves_the_others_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Environment.objects.create(slug="place", name="Place", kind="staging")
    now = datetime(2026, 11, 29, 12, 20, tzinfo=UTC)
    assert system_user("backups.request_export")
    for name, cron in (("a", "0 0 30 2 *"), ("b", "10 * * * *"), ("c", "not a line"), ("d", "15 * * * *")):
        values = {"cron": cron, "scheduled_at": now - timedelta(hours=1), "tables": ["*"]}
        Policy.objects.create(environment=place, name=name, **values)

    with pytest.raises(SomeFailed, match="1 failed, the others were done: policy"):
        scheduler.run_due(now)

    assert set(Slot.objects.values_list("policy__name", flat=True)) == {"b", "d"}
