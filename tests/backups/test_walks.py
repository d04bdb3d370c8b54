"""Random walks of production, its backups and its accidents against a model: nothing lost, nothing resurrected, every
alarm raised and none false.

OPS_TEST_WALKS walks of OPS_TEST_STEPS steps; OPS_TEST_SEED repeats one (each failure names it).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from backups.models import Policy
from backups.policies.defaults import ensure_policies
from operations.models import Environment
from providers.postgres.audit_trail import late
from sandbox import database
from tests import portal_database
from tests.backups.walk_portal import DAYS, LAST, Portal
from tests.backups.walk_steps import CALM, WEIGHTS, Walk
from tests.backups.walk_world import World
from tests.sampling import SEED, size

pytestmark = pytest.mark.django_db(transaction=True)
WALKS, STEPS = size("WALKS"), size("STEPS")


@pytest.fixture
def begin(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reused_drill: None) -> Iterator[Callable]:
    settings.BACKUP_STORE = f"file://{tmp_path}/store"
    monkeypatch.setattr(late, "UNAUDITED_AFTER", "0 s")  # what a walk writes is never older than a quarter of an hour
    begun: list[World] = []

    def begin(seed: int) -> Walk:
        name = f"walk_{uuid4().hex[:12]}"
        database.create(portal_database.server, name, rows=150, experiments=5, seed=seed)
        begun.append(World(name, random.Random(f"walk {seed}")))
        production = Environment.objects.create(slug="production", name="P", kind="production", protected=True)
        ensure_policies(production)
        Policy.objects.update(
            keep_last=LAST, keep_daily=DAYS, keep_weekly=0, keep_monthly=0, keep_yearly=0, keep_unproven_days=2
        )
        return Walk(begun[-1], Portal(), production, User.objects.create_superuser("sam"), monkeypatch)

    yield begin
    for world in begun:
        world.close()


@pytest.mark.parametrize("number", range(WALKS))
def test_a_walk_loses_nothing_and_raises_every_alarm_and_no_false_one(
    begin: Callable[[int], Walk], number: int
) -> None:
    seed = SEED + number
    weights = WEIGHTS if seed % 2 else CALM  # with many forgeries most runs stay, and retention has little to do
    walk = begin(seed)
    walk.told.append(f"OPS_TEST_SEED={seed} OPS_TEST_WALKS=1")

    for _ in range(STEPS):
        walk.step(walk.world.rng.choices([*weights], [*weights.values()])[0])
    for name in ("late_end", "export", "restore"):
        walk.step(name)

    assert walk.portal.copies
