"""Every act that is grave, in one table: what it is bound to, and that no service does it without a second factor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from operations.engine.request import request
from operations.factors.acts import ACTS, Binding
from operations.factors.step_up import StepUpNeeded, note
from operations.models import Environment, StepUp
from sampelit_ops.demo.users import create_demo_users
from tests.sampelit_ops.signin.attempts import DONE, House


@pytest.fixture
def house(db: None, settings: Settings) -> Iterator[House]:
    settings.DEMO, settings.EMAIL_HOST = True, ""
    create_demo_users()
    place = Environment.objects.create(slug="production", name="Production", kind="production", protected=True)
    asked = {"environment": place, "parameters": {"key": "k"}, "reason": "a test"}
    return House(request("rehearsal.destructive", by=User.objects.get(username="operator"), **asked), [place])


def test_the_table_names_every_grave_act() -> None:
    assert set(DONE) == set(ACTS)


def others(binding: Binding, username: str) -> list[StepUp]:
    """Factors just shown for another act, object or content, and for the same by somebody else."""
    person, somebody = User.objects.get(username=username), User.objects.get(username="stager")
    act = next(name for name in ACTS if name != binding.act)
    changed: list[dict[str, str]] = [{"act": act}, {"subject": "another"}, {"digest": "f" * 64}]
    return [note(somebody, binding, "app"), *(note(person, replace(binding, **each), "app") for each in changed)]


@pytest.mark.parametrize("act", sorted(ACTS))
def test_only_a_factor_for_exactly_this_does_it_and_once(house: House, act: str) -> None:
    username, attempt = DONE[act]
    with pytest.raises(StepUpNeeded) as asked:
        attempt(house)
    binding: Binding = asked.value.binding
    for_others = others(binding, username)
    with pytest.raises(StepUpNeeded):
        attempt(house)

    shown = note(User.objects.get(username=username), binding, "app")
    attempt(house)

    shown.refresh_from_db()
    assert (binding.act, shown.spent_at is not None) == (act, True)
    assert not StepUp.objects.filter(pk__in=[row.pk for row in for_others]).exclude(spent_at=None).exists()
