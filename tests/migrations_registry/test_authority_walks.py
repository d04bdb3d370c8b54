"""Random lives under changing rights: nothing destructive runs without the votes that its effects need, by people who
held the right at the claim, for somebody who could ask. Lives that begin alike share their first moves, not their end.
"""

from __future__ import annotations

import pytest
from django.db import transaction
from pytest_django.fixtures import Settings

from operations.engine import kinds, specs
from tests import sampling
from tests.migrations_registry.authority_moves import APPLY, CHANGE, RULES, settle
from tests.migrations_registry.authority_walk import Walk

WANTED, TRUNK = sampling.size("AUTHORITY_WALKS"), 8
DEPTH = min(6, (WANTED - 1).bit_length())
LIVES = 2**DEPTH
COUNT, CHUNK = -(-WANTED // LIVES), 20


@pytest.mark.parametrize("first", range(0, COUNT, CHUNK))
@pytest.mark.django_db
def test_nothing_destructive_runs_without_its_votes(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, first: int
) -> None:
    settings.OPS_LEASE_SECONDS = 3_600
    settle()
    ran = [0, 0]
    for number in range(first, min(first + CHUNK, COUNT)):
        with transaction.atomic():
            walk = Walk(sampling.SEED + number)
            for name in (APPLY, RULES, CHANGE):
                monkeypatch.setattr(kinds.get(name), "steps", [specs.step("act", walk.acted)])
            walk.grow(TRUNK, DEPTH)
            transaction.set_rollback(True)
        assert walk.trouble == [], f"OPS_TEST_SEED={sampling.SEED + number} OPS_TEST_AUTHORITY_WALKS={LIVES}"
        assert walk.lives == LIVES
        ran = [before + now for before, now in zip(ran, walk.ran, strict=True)]

    assert COUNT < CHUNK or min(ran) >= min(COUNT - first, CHUNK), "too little ran to say anything"
