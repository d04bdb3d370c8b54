"""A second factor counts once, for five minutes, for one person, act, object and content; whatever else is refused."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from ledger.models import Entry
from ledger.registry import sentence_for
from operations.approvals.break_glass import break_glass
from operations.approvals.voting import approve, reject, revoke
from operations.factors.acts import ACTS, Binding, about
from operations.factors.step_up import VALID, StepUpNeeded, note, prove, spend
from operations.models import Approval, Authenticator, Operation, StepUp
from providers.errors import Refused
from tests.sampelit_ops.signin.codes import code_of

pytestmark = pytest.mark.django_db
THIS = Binding("operations.approve", "one thing", "a" * 64)
Ask = Callable[..., Operation]


def _code(person: User, steps: int = 0) -> str:
    return code_of(Authenticator.objects.get(user=person), steps)


def _spent(person: User, binding: Binding) -> bool:
    try:
        with transaction.atomic():
            spend(person.username, binding)
    except StepUpNeeded:
        return False
    return True


def test_a_vote_on_a_destructive_act_needs_a_factor_that_was_shown_for_it(waiting: Operation, ada: User) -> None:
    with pytest.raises(StepUpNeeded, match="Nothing was changed; show your second factor for it: Approve"):
        approve(waiting, by=ada)
    assert not Approval.objects.exists()

    prove(ada, about("operations.approve", waiting), _code(ada))
    approve(waiting, by=ada)

    assert Approval.objects.get().approved_by == ada
    assert StepUp.objects.get().spent_at is not None
    said = sentence_for(Entry.objects.get(code="signin.stepped_up"))
    assert said.startswith("ada showed a second factor (authenticator) to approve rehearsal.destructive")


def test_breaking_the_glass_needs_one_of_its_own(waiting: Operation, ada: User) -> None:
    prove(ada, about("operations.approve", waiting), _code(ada))

    with pytest.raises(StepUpNeeded, match="shown for exactly this"):
        break_glass(waiting, by=ada, reason="checkout is down")

    assert Operation.objects.get(pk=waiting.pk).status == "awaiting_approval"


def test_to_refuse_to_take_back_and_to_agree_to_what_is_routine_need_none(ask: Ask, ada: User, ben: User) -> None:
    reject(ask("rehearsal.destructive"), by=ada)
    approve(ask("rehearsal.sensitive", key="b"), by=ada)
    voted = ask("rehearsal.destructive", key="c")
    prove(ben, about("operations.approve", voted), _code(ben))
    approve(voted, by=ben)

    assert not revoke(voted, by=ben).approvals.filter(revoked_at=None).exists()


def test_a_factor_for_one_object_is_none_for_another(ask: Ask, ada: User) -> None:
    first, second = ask("rehearsal.destructive", key="a"), ask("rehearsal.destructive", key="a")
    prove(ada, about("operations.approve", first), _code(ada))

    with pytest.raises(StepUpNeeded, match="was for something else"):
        approve(second, by=ada)


def test_a_wrong_a_used_and_another_persons_code_note_nothing(waiting: Operation, ada: User, ben: User) -> None:
    binding, code = about("operations.approve", waiting), _code(ada)
    with pytest.raises(Refused):
        prove(ada, binding, _code(ben))
    Authenticator.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    prove(ada, binding, code)

    with pytest.raises(Refused, match="used before"):
        prove(ada, replace(binding, digest="b" * 64), code)

    assert StepUp.objects.count() == 1


@given(st.sampled_from(["act", "subject", "digest", "person"]), st.sampled_from(sorted(ACTS)), st.text(max_size=20))
def test_nothing_but_the_same_binding_of_the_same_person_is_met(changed: str, act: str, text: str) -> None:
    asked = Binding(act, "subject", "digest")
    other = asked if changed == "person" else replace(asked, **{changed: text})

    met = other.sha256("ben" if changed == "person" else "ada") == asked.sha256("ada")

    assert met == (changed != "person" and other == asked)


@pytest.mark.parametrize(("minutes", "counts"), [(0, True), (4.9, True), (5.1, False), (600, False)])
@pytest.mark.usefixtures("one_clock")
def test_it_is_fresh_for_five_minutes(ada: User, minutes: float, counts: bool) -> None:
    note(ada, THIS, "authenticator")

    with time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False):
        assert _spent(ada, THIS) is counts
        if not counts:
            with pytest.raises(StepUpNeeded, match="older than five minutes"):
                spend("ada", THIS)


def test_it_works_once(ada: User) -> None:
    note(ada, THIS, "authenticator")

    assert [_spent(ada, THIS) for _ in range(3)] == [True, False, False]
    with pytest.raises(StepUpNeeded, match="was used; each works once"):
        spend("ada", THIS)


def test_what_is_rolled_back_can_be_done_again(ada: User) -> None:
    note(ada, THIS, "authenticator")

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        spend("ada", THIS)
        _ = 1 / 0

    assert _spent(ada, THIS)


def test_somebody_elses_counts_for_nobody(ada: User, ben: User) -> None:
    note(ada, THIS, "authenticator")

    assert not _spent(ben, THIS)
    assert _spent(ada, THIS)


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_spend_it_once() -> None:
    ada = User.objects.create_user("ada")

    def attempt(_: int) -> bool:
        try:
            return _spent(ada, THIS)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            note(ada, THIS, "authenticator")
            assert sum(pool.map(attempt, range(8))) == 1


@pytest.mark.usefixtures("one_clock")
def test_old_ones_are_forgotten(ada: User, ben: User) -> None:
    for person in (ada, ben):
        with time_machine.travel(timezone.now() - timedelta(days=2), tick=False):
            note(person, THIS, "authenticator")

    note(ada, THIS, "authenticator")

    assert StepUp.objects.filter(person=ada).get().expires_at > timezone.now() + VALID / 2
    assert StepUp.objects.filter(person=ben).exists()
