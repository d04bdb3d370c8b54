"""People who show their second factor whenever an act asks for it, for tests of other things.

In: the same arguments as the service's. Out: what it answers. `tests/operations/factors/` asks what happens without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from django.contrib.auth.models import User
from django.test import Client

from migrations_registry.drift import detect
from migrations_registry.services import waivers
from operations.approvals import break_glass as glass
from operations.approvals import confirmation, tasks, voting
from operations.engine import cancel as ending
from operations.engine import request as requests
from operations.factors import devices
from operations.factors.acts import Binding
from operations.factors.step_up import StepUpNeeded, note
from operations.models import Authenticator
from operations.web.step_up import ASKS

P = ParamSpec("P")
R = TypeVar("R")


def stepping(service: Callable[P, R]) -> Callable[P, R]:
    """The service of a person who shows a factor when asked; `by` says who."""

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return service(*args, **kwargs)
        except StepUpNeeded as asked:
            show(kwargs["by"], asked.binding)
            return service(*args, **kwargs)

    return call


def show(by: Any, binding: Binding) -> None:
    """As if this person had just shown a factor for exactly this."""
    person = by if isinstance(by, User) else User.objects.get_or_create(username=by)[0]
    note(person, binding, "authenticator")


def authenticator(person: User) -> Authenticator:
    """This person's authenticator app; `codes.code_of` says what it shows."""
    return devices.enrol(person)


class SteppingClient(Client):
    """The browser of a person who shows a factor when a page asks."""

    def post(self, *args: Any, **kwargs: Any) -> Any:
        answer = super().post(*args, **kwargs)
        while answer.status_code == ASKS:
            show(answer.wsgi_request.user, answer.context["binding"])
            answer = super().post(*args, **kwargs)
        return answer


accept_drift = stepping(detect.resolve)
agree = stepping(waivers.approve)
approve = stepping(voting.approve)
break_glass = stepping(glass.break_glass)
close = stepping(tasks.close)
confirm = stepping(confirmation.confirm)
request = stepping(requests.request)
retry = stepping(ending.retry)
revoke = stepping(voting.revoke)
