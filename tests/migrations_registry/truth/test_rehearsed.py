"""A rehearsal tells of every text of the truth table what applying it does: locks, rewrites, scans and effects.

A run takes a few texts of the table; a soak all of them.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from django.contrib.auth.models import User

from migrations_registry.effects import declared
from migrations_registry.observing import expected
from operations.models import Environment
from tests import sampling
from tests.migrations_registry.truth.recorded import RECORDED
from tests.migrations_registry.truth.rehearsed import pair
from tests.migrations_registry.truth.watcher import APPLIED, FAILED, UNABLE, Told

PARTS = 8 if sampling.WHOLE else 1  # each with a cell of its own


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", range(PARTS))
def test_it_tells_what_the_application_does(
    part: int, ana: User, backups: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OPS_LEASE_SECONDS = 600
    environment = Environment.objects.create(slug="truth", kind="staging", votes_sensitive=0, votes_destructive=0)
    wrong = {}
    with pair(ana, environment, monkeypatch) as both:
        for text in sampling.share(RECORDED, 250)[part::PARTS]:
            applied, rehearsed = both.take(text)
            if found := differences(applied, rehearsed):
                wrong[text] = found

    assert wrong == {}


def differences(applied: Told, rehearsed: Told) -> dict[str, tuple[object, object]]:
    """What is not the same; a rehearsal may say that it cannot tell where the target's role may not do it either."""
    if (applied.outcome, rehearsed.outcome) == (FAILED, UNABLE):
        return {}
    told = [field.name for field in fields(Told)] if applied.outcome == APPLIED else ["outcome"]
    both = {name: (getattr(applied, name), getattr(rehearsed, name)) for name in told}
    return {name: sides for name, sides in both.items() if sides[0] != sides[1]}


def test_every_text_is_understood_by_what_observes_and_what_measures() -> None:
    for text in RECORDED:
        expected(text.encode())
        declared(text.encode())
