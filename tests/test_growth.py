"""The judge of growth: what creeps is named, what wavers is not."""

from __future__ import annotations

import random

import pytest

from tests.growth import Sample, grown, picture


def hours(**by_hour: float) -> list[Sample]:
    dice = random.Random(1)
    flat = {"worker 1 MB": 250.0, "worker 1 handles": 40.0, "sessions": 12.0, "waiting messages": 0.0}
    made = []
    for hour in range(24):
        sample = {name: value + by_hour.get(name.replace(" ", "_"), 0) * hour for name, value in flat.items()}
        sample["worker 1 MB"] += dice.uniform(-10, 10)
        made.append({**sample, "rows": 1_000 + 60.0 * hour + by_hour.get("rows", 0) * hour**2})
    return made


def test_what_wavers_is_no_growth() -> None:
    assert grown(hours()) == []


@pytest.mark.parametrize(
    ("name", "an_hour"),
    [("worker_1_MB", 6.0), ("worker_1_handles", 1.0), ("sessions", 0.5), ("waiting_messages", 1.0), ("rows", 5.0)],
)
def test_what_creeps_is_named(name: str, an_hour: float) -> None:
    (told,) = grown(hours(**{name: an_hour}))

    assert told.startswith(name.replace("_", " "))


def test_the_picture_has_a_line_for_each_service() -> None:
    assert picture(hours()).count("<polyline") == 1
