"""Step-up: a fresh second factor for one grave act. `prove` notes that it was shown, `spend` uses that up.

Services call `spend` last before they write, in the transaction of the act; what is not shown, stale, spent, or shown
for anything else raises StepUpNeeded, which pages and the shell answer by asking for the factor.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from ledger.services import record
from operations.accounts import acts_as_machine
from operations.factors import devices
from operations.factors.acts import Binding
from operations.models import StepUp
from operations.periodic.clock import database_time

VALID = timedelta(minutes=5)
KEPT = timedelta(days=1)


class StepUpNeeded(Exception):
    """No refusal but a question: the act was not done, and can be once the factor is shown for this binding."""

    def __init__(self, binding: Binding, reason: str) -> None:
        super().__init__(f"{reason} Nothing was changed; show your second factor for it: {binding}.")
        self.binding, self.reason = binding, reason


def prove(person: User, binding: Binding, code: str) -> StepUp:
    """A code of this person for exactly this act. Raises Refused where it is wrong or was used before."""
    with transaction.atomic():
        method = devices.verify(person, code).name
        return note(person, binding, method)


def note(person: User, binding: Binding, method: str, signed: Mapping[str, str] | None = None) -> StepUp:
    """Remember for five minutes that a factor was shown, and what a passkey `signed`; call it in the transaction that
    verified it."""
    now = database_time()
    StepUp.objects.filter(person=person, expires_at__lt=now - KEPT).delete()
    row = StepUp.objects.create(
        person=person,
        act=binding.act,
        binding_sha256=binding.sha256(person.username),
        method=method,
        signed=dict(signed or {}),
        shown_at=now,
        expires_at=now + VALID,
    )
    about = {"act": binding.act, "method": method, "content_sha256": binding.digest}
    record("signin.stepped_up", actor=person.username, subject=binding.subject[:200], data=about)
    return row


def spend(username: str, binding: Binding) -> dict[str, str]:
    """Use the factor up that was shown for this; answers what its passkey signed, nothing for a code.

    Raises StepUpNeeded. The portal's own account has no factor.
    """
    if acts_as_machine(username):
        return {}
    now = database_time()
    fresh = _shown(username, binding).filter(spent_at=None, expires_at__gt=now)
    row = (fresh.exclude(signed={}) if binding.by_passkey else fresh).select_for_update().first()
    if row is None:
        raise StepUpNeeded(binding, _why(username, binding))
    fresh.update(spent_at=now)
    return dict(row.signed)


def _shown(username: str, binding: Binding) -> QuerySet[StepUp]:
    """By its hash, which names the person: with a join the UPDATE would not look again at what it waited for."""
    return StepUp.objects.filter(binding_sha256=binding.sha256(username))


def _why(username: str, binding: Binding) -> str:
    """What became of the factor that was shown last for this, or for something else of the kind."""
    last = _shown(username, binding).first()
    if binding.by_passkey and (last is None or not last.signed):
        return "This counts only with the signature of your passkey; no code replaces it."
    if last is not None:
        ended = "was used; each works once" if last.spent_at else "is older than five minutes"
        return f"The second factor that you showed for this at {last.shown_at:%H:%M} UTC {ended}."
    others = StepUp.objects.filter(person__username=username, act=binding.act, spent_at=None)
    if others.filter(expires_at__gt=database_time()).exists():
        return "The second factor that you showed was for something else; what is asked now is another thing."
    return "This needs a second factor that was shown for exactly this."
