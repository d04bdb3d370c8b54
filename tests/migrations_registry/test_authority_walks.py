"""Random lives under changing rights: nothing destructive runs without the votes that its effects need, by people who
held the right at the claim, for somebody who could ask.
"""

from __future__ import annotations

import pytest
from django.db import transaction

from operations.engine import kinds, specs
from tests import sampling
from tests.migrations_registry import authority_walk

COUNT, CHUNK = sampling.size("AUTHORITY_WALKS"), 1_000
MOVES = 14


@pytest.mark.parametrize("first", range(0, COUNT, CHUNK))
@pytest.mark.django_db
def test_nothing_destructive_runs_without_its_votes(monkeypatch: pytest.MonkeyPatch, first: int) -> None:
    authority_walk.settle()
    ran = [0, 0]
    for number in range(first, min(first + CHUNK, COUNT)):
        with transaction.atomic():
            walk = authority_walk.Walk(sampling.SEED + number)
            for name in (authority_walk.APPLY, authority_walk.RULES):
                monkeypatch.setattr(kinds.get(name), "steps", [specs.step("act", walk.acted)])
            walk.play(MOVES)
            transaction.set_rollback(True)
        assert walk.trouble == [], f"OPS_TEST_SEED={sampling.SEED + number} OPS_TEST_AUTHORITY_WALKS=1"
        ran = [before + now for before, now in zip(ran, walk.ran, strict=True)]

    assert min(ran) >= min(COUNT - first, CHUNK) / 20, "too little ran to say anything"
