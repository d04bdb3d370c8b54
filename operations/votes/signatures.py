"""Whether a vote needs its person's own passkey, and whether that signed it: what no process of this portal can forge.

In: an act, an operation, what the ledger says of the vote, and the person's enrolments. Out: why it does not count, or
nothing. On what asks for a second factor whoever has a passkey for a day votes by it; with OPS_PASSKEY_VOTES all do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from operations.factors.acts import about
from operations.factors.enrolments import SETTLES_AFTER, Enrolled, enrolments
from operations.factors.step_up import spend
from operations.models import Operation, Risk
from operations.periodic.clock import database_time
from operations.votes.said import Said

asks_for_factor: set[str] = set()  # kinds whose votes do at any risk; the registry of kinds fills it


def is_grave(operation: Operation) -> bool:
    """Whether a vote for it needs a second factor shown for it."""
    return operation.risk == Risk.DESTRUCTIVE or operation.kind in asks_for_factor


def must_sign(name: str) -> bool:
    """Whether what this person decides now counts with a signature only."""
    now = database_time()
    return settings.OPS_PASSKEY_VOTES > 0 or any(key.binds(now) for key in enrolments([name])[name])


def signature(by: User, act: str, operation: Operation) -> dict[str, Any]:
    """Spend the factor that was shown for this act; what its entry keeps: nothing of a code. Raises StepUpNeeded."""
    signed = spend(by.username, about(act, operation, by_passkey=must_sign(by.username)))
    return {"signed": signed} if signed else {}


def why_not_signed(act: str, operation: Operation, said: Said, keys: Sequence[Enrolled]) -> str:
    """Judged by the keys of today, and by whether the person had one when it was said."""
    if not settings.OPS_PASSKEY_VOTES and not any(key.binds(said.at) for key in keys):
        return ""
    if not said.signed:
        return f"{said.name} decided without a passkey; on this only a passkey's signature counts."
    fitting = _fitting(about(act, operation).sha256(said.name), said, keys)
    now = database_time()
    if any(key.signs(now) for key in fitting):
        return ""
    young = [key.since for key in fitting if key.until is None]
    if young:
        return (
            f"The passkey of {said.name} was enrolled at {min(young):%Y-%m-%d %H:%M} UTC: "
            f"what it signs counts from {min(young) + SETTLES_AFTER:%Y-%m-%d %H:%M} UTC."
        )
    if fitting:
        return f"The passkey by which {said.name} signed was removed."
    return f"What {said.name} is said to have signed does not hold."


def _fitting(purpose: str, said: Said, keys: Sequence[Enrolled]) -> list[Enrolled]:
    from operations.factors.assertions import holds  # the library takes 0.2 s and memory that few processes need

    named = [key for key in keys if key.credential == said.signed.get("credential")]
    return [key for key in named if holds(said.signed, purpose, key.public_key)]
