"""What a person says is limited, and looked at only after the permission."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied

from operations.approvals.voting import reject
from operations.engine import wording
from operations.engine.cancel import cancel
from operations.models import Operation
from providers.errors import Refused
from tests.stepping import approve, break_glass

pytestmark = pytest.mark.django_db
HUGE = "x" * (wording.LONGEST + 1)


def test_who_may_not_act_is_refused_before_the_text_is_looked_at(
    ask: Callable[..., Operation], operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, seen = ask("rehearsal.destructive"), list[str]()
    monkeypatch.setattr(wording, "redact", lambda text: seen.append(text) or text)

    for act in (approve, reject):
        with pytest.raises(PermissionDenied):
            act(waiting, by=operator, comment=HUGE)
    with pytest.raises(PermissionDenied):
        break_glass(waiting, by=User.objects.create(username="nobody"), reason=HUGE)

    assert seen == []


def test_a_long_text_is_refused(ask: Callable[..., Operation], operator: User, approver: User) -> None:
    waiting = ask("rehearsal.destructive")

    with pytest.raises(Refused, match="2,001 characters"):
        approve(waiting, by=approver, comment=HUGE)
    with pytest.raises(Refused, match="2,001 characters"):
        cancel(waiting, by=operator, reason=HUGE)

    assert waiting.approvals.count() == 0
