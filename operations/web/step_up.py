"""Where a page asks for a second factor: any POST that turns out to be a grave act is answered by the page that asks.

In: StepUpNeeded from a service. Out: a page that shows what is confirmed and holds the same POST; sent with a code it
notes the factor and lets the view act anew. What is confirmed is signed for this session, so no form can swap it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django_otp import user_has_device

from operations.engine.kinds import registry
from operations.factors import devices, passkeys
from operations.factors.acts import ACTS, Binding
from operations.factors.step_up import StepUpNeeded, note, prove
from operations.periodic.signing import DatedSigner
from operations.web.pages import render_page
from providers.errors import Refused

FIELD, CODE, ANSWER = "step_up", "step_up_code", "step_up_answer"
OWN = (FIELD, CODE, ANSWER, "csrfmiddlewaretoken")
ASKS = 428  # Precondition Required (RFC 6585): nothing was done, and can be once the factor is shown
READABLE = 900


class StepUpPages:
    """After CSRF and sign-in have been checked, before the view."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Note the factor that comes with the form; the service asks again unless it was for exactly this."""
        user = request.user
        if request.method != "POST" or not isinstance(user, User) or not request.POST.get(FIELD):
            return None
        binding = opened(request, request.POST[FIELD])
        if binding is None:
            return None
        try:
            _show(request, user, binding)
        except Refused as refusal:
            return page(request, binding, refusal.reason)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, StepUpNeeded):
            return None
        return page(request, exception.binding, exception.reason if request.POST.get(CODE) else "")


def signed(request: HttpRequest, binding: Binding) -> str:
    """What the page shows, as this session may send it back."""
    return DatedSigner(salt=_salt(request)).sign_object(
        [binding.act, binding.subject, binding.digest, binding.by_passkey]
    )


def opened(request: HttpRequest, text: str) -> Binding | None:
    """The same, or None for what this session was not shown in the last quarter of an hour."""
    try:
        return Binding(*DatedSigner(salt=_salt(request)).unsign_object(text, max_age=READABLE))
    except signing.BadSignature:
        return None


def _show(request: HttpRequest, user: User, binding: Binding) -> None:
    """By passkey or by code. Raises Refused."""
    answer = request.POST.get(ANSWER, "")
    if not answer:
        prove(user, binding, request.POST.get(CODE, ""))
        return
    purpose = binding.sha256(user.username)
    row, signed = passkeys.sign(user, request.session.session_key or "", purpose, answer)
    with transaction.atomic():
        note(user, binding, f"passkey {row.name}"[:40], signed)


def page(request: HttpRequest, binding: Binding, error: str = "") -> HttpResponse:
    """Asks for the factor; its form sends what was sent once more."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - who is not signed in does nothing grave
    options = passkeys.request(user, request.session.session_key or "", binding.sha256(user.username))
    context = {
        "title": "Confirm with your second factor",
        "binding": binding,
        "asked": _in_words(binding),
        "error": error,
        "signed": signed(request, binding),
        "again": [(name, value) for name, values in request.POST.lists() if name not in OWN for value in values],
        "has_factor": bool(options) or (user_has_device(user) and not binding.by_passkey),
        "has_codes": devices.has_codes(user) and not binding.by_passkey,
        "options": options,
    }
    response = render_page(request, "account/step_up.html", context, status=ASKS)
    response["Cache-Control"] = "no-store"
    return response.render()


def _in_words(binding: Binding) -> str:
    """The act as people call it: a kind of operation by its label, not by its name in the shell."""
    name, _, rest = binding.subject.partition(" ")
    kind = registry.kinds.get(name)
    return f"{ACTS[binding.act]}: {kind.label}, {rest}" if kind else str(binding)


def _salt(request: HttpRequest) -> str:
    return f"operations.step_up {request.user.pk} {request.session.session_key}"
