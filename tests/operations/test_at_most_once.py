"""A write to a provider: journaled before it leaves, never sent twice, looked for a few times and no longer."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from operations.engine.at_most_once import Polling, answered, once
from providers.errors import ProviderError
from providers.http.errors import RateLimited, Rejected, Unavailable, UnknownOutcome

pytestmark = pytest.mark.usefixtures("one_clock")


class Context:
    """What a write needs of a step's context; `stored` is what a later attempt would find."""

    def __init__(self, **stored: Any) -> None:
        self.state, self.stored = dict(stored), dict(stored)
        self.lines: list[str] = []
        self.notes: list[str] = []
        self.lost = threading.Event()

    def save_state(self) -> None:
        self.stored = dict(self.state)

    def log(self, line: str) -> None:
        self.lines.append(line)

    def progress(self, done: int, total: int, unit: str, note: str) -> None:
        self.notes.append(f"{done}/{total} {note}")

    def check(self) -> None:
        pass


def _failing(error: ProviderError) -> Any:
    def write() -> None:
        raise error

    return write


def test_the_intent_is_stored_before_the_write_leaves() -> None:
    ctx = Context()

    stored = once(ctx, lambda: "asked_at" in ctx.stored)

    assert stored is True


def test_a_later_attempt_sends_nothing() -> None:
    ctx, sent = Context(asked_at="2026-01-01T00:00:00+00:00"), []

    answer = once(ctx, lambda: sent.append("write") or "answer")

    assert (answer, sent) == (None, [])
    assert answered(ctx, lambda: sent.append("write")) is False
    assert sent == []


def test_a_lost_answer_is_no_answer_and_its_intent_stays() -> None:
    ctx = Context()

    answer = once(ctx, _failing(UnknownOutcome("The answer was lost.")))

    assert answer is None
    assert "asked_at" in ctx.stored
    assert ctx.lines == ["The answer was lost. Looking it up."]


@pytest.mark.parametrize("error", [RateLimited("Full.", 1.0), Unavailable("Away.")])
def test_a_write_that_never_left_is_no_intent(error: ProviderError) -> None:
    ctx = Context()

    with pytest.raises(type(error)):
        once(ctx, _failing(error))

    assert ctx.stored == {}
    assert once(ctx, lambda: "sent") == "sent"


@pytest.mark.parametrize(("without_effect", "stays"), [((Rejected,), False), ((), True)])
def test_which_refusals_leave_no_intent_is_the_callers_word(without_effect: Any, stays: bool) -> None:
    ctx = Context()

    with pytest.raises(Rejected):
        once(ctx, _failing(Rejected("No.")), without_effect=without_effect)

    assert ("asked_at" in ctx.stored) is stays


def test_an_answer_that_says_nothing_counts_as_answered() -> None:
    assert answered(Context(), lambda: None) is True
    assert answered(Context(), _failing(UnknownOutcome("Lost."))) is False


def test_looking_ends_with_what_was_looked_for_or_after_the_last_look() -> None:
    ctx, sights = Context(), iter([None, None, "there"])
    polling = Polling("Render", looks=3, seconds=lambda: 0)

    assert polling.until(ctx, lambda: next(sights)) == "there"
    assert ctx.notes == ["1/3 waiting for Render", "2/3 waiting for Render"]
    assert polling.until(ctx, lambda: None, looks=2) is None
    assert ctx.notes[2:] == ["1/2 waiting for Render", "2/2 waiting for Render"]


class One:
    def __init__(self, identity: str) -> None:
        self.id = identity


@pytest.mark.parametrize(
    ("listed", "taken"), [(["a"], None), (["b", "a"], "b"), (["b", "b", "a"], "b"), (["c", "b", "a"], "refused")]
)
def test_what_was_made_is_taken_only_where_it_can_be_told(listed: list[str], taken: str | None) -> None:
    """The answer was lost; somebody else, or a schedule, may have made one in the same seconds."""
    ctx, polling = Context(known=["a"], asked_at="2026-01-01T00:00:00+00:00"), Polling("Render", 1, lambda: 0.0)

    def look() -> One | None:
        return polling.made(ctx, lambda: map(One, listed), _failing(UnknownOutcome("lost")))  # type: ignore[arg-type]

    if taken == "refused":
        with pytest.raises(ProviderError, match="b, c began since"):
            look()
        return
    made = look()
    assert (made.id if made else None) == taken
    assert len(ctx.lines) == (taken is not None)
