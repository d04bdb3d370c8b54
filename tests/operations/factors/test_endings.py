"""Whoever ends what protects shows a second factor: to refuse it, to take a vote back, to cancel it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from operations.approvals.voting import reject, revoke
from operations.engine import kinds
from operations.engine.cancel import cancel
from operations.factors.step_up import StepUpNeeded
from operations.models import Operation, StepUp
from tests.stepping import approve, stepping

pytestmark = pytest.mark.django_db
ENDINGS: dict[str, Callable[..., Operation]] = {"reject": reject, "revoke": revoke, "cancel": cancel}


@pytest.fixture
def ended_by(waiting: Operation, ada: User) -> Callable[[str], User]:
    """Who may end it that way; a vote is there to be taken back."""

    def person(how: str) -> User:
        if how == "revoke":
            approve(waiting, by=ada)
        return waiting.requested_by if how == "cancel" else ada

    return person


@pytest.mark.parametrize("how", ENDINGS)
@pytest.mark.parametrize("effect", ["protects", "restores_service", "unknown"])
def test_what_protects_is_ended_with_a_factor(
    waiting: Operation, ended_by: Callable[[str], User], monkeypatch: pytest.MonkeyPatch, how: str, effect: str
) -> None:
    person = ended_by(how)
    if effect == "unknown":
        monkeypatch.delitem(kinds.registry.kinds, waiting.kind)
    else:
        monkeypatch.setattr(kinds.registry.kinds[waiting.kind], effect, True, raising=False)
    before = Operation.objects.get(pk=waiting.pk).status

    with pytest.raises(StepUpNeeded, match="Nothing was changed"):
        ENDINGS[how](waiting, by=person)
    assert Operation.objects.get(pk=waiting.pk).status == before

    stepping(ENDINGS[how])(waiting, by=person)
    assert StepUp.objects.get(act=f"operations.{how}").spent_at is not None


@pytest.mark.parametrize("how", ENDINGS)
def test_whatever_else_is_ended_without(waiting: Operation, ended_by: Callable[[str], User], how: str) -> None:
    ENDINGS[how](waiting, by=ended_by(how))

    assert not StepUp.objects.filter(act=f"operations.{how}").exists()
