"""The demo's ninety days: told once, through the services, marked as seeded, and a valid ledger afterwards."""

from __future__ import annotations

import pytest

from deployments.models import BlueprintFile
from ledger.models import Entry
from ledger.services import verify
from migrations_registry.models import MigrationFile
from operations.engine.request import request
from operations.engine.tick import wake_due
from operations.models import Environment, Operation, Task
from providers.errors import Refused
from sampelit_ops.demo import seed_operations, story
from sampelit_ops.demo.users import create_demo_users

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_story_is_told_once_and_nothing_of_it_is_run_or_counts(django_assert_num_queries):
    create_demo_users()
    story.seed()
    count, entries = Operation.objects.count(), Entry.objects.count()

    story.seed()

    assert (Operation.objects.count(), Entry.objects.count()) == (count, entries)
    assert Operation.objects.filter(seeded=True).count() > 95
    assert set(Operation.objects.filter(seeded=True).values_list("status", flat=True)) == {
        "succeeded",
        "failed",
        "rejected",
        "expired",
    }
    assert Operation.objects.get(seeded=False).status == "awaiting_approval"
    assert Task.objects.get(kind="review_break_glass").closed_at is None
    assert not Operation.objects.due().exists()
    assert wake_due() == 0
    assert verify().valid
    assert MigrationFile.objects.count() == 3
    assert BlueprintFile.objects.get().environment.slug == "production"


def test_outside_the_demo_nobody_says_when(settings, operator_and_environment):
    by, environment = operator_and_environment
    real = request("rehearsal.routine", by=by, environment=environment, parameters={"key": "a"})
    with pytest.raises(Refused, match="Only the demo's story"):
        seed_operations.end(real, "succeeded", at=real.requested_at, seconds=1)
    settings.DEMO = False
    with pytest.raises(Refused, match="Only the demo may say"):
        request("rehearsal.routine", by=by, environment=environment, parameters={"key": "b"}, seeded=True)


@pytest.fixture
def operator_and_environment():
    from django.contrib.auth.models import User

    create_demo_users()
    environment = Environment.objects.create(slug="production", name="Production", kind="production", protected=True)
    return User.objects.get(username="operator"), environment
