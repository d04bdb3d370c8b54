"""A form has one effect, however often it is sent: double click, back button, resend, two tabs.

In: the key that `{% form_key %}` wrote into a form, the same until a form of that address was sent by its person.
Out: the view's answer once; afterwards the way to where the first one led. A refused form keeps its key, and a form
without one is refused, unless its address is in FORMS_WITHOUT_KEY.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from operations.models import SentForm
from operations.periodic.clock import database_time

GetResponse = Callable[[HttpRequest], HttpResponse]
NAME = "form_key"
PATIENCE = 10.0  # seconds that a second click waits for the first
KEPT = timedelta(days=2)  # a session, and with it a form, ends after twelve hours
_SHAPE = re.compile(r"([0-9a-f]{32})-\d{1,19}\+?")
_AGAIN = "This form was sent before, and its effect is this one; nothing was done again."
_BROKEN = "This form is broken. Nothing was done; open its page again."
_KEYLESS = "This form came without its one-time key. Nothing was done; open its page and send it from there."
_UNKNOWN = "This form was sent before and it is not known how that ended. Nothing was done again: look here first."


def key_of(request: HttpRequest, name: str = "", many: bool = False, tabs: bool = True) -> str:
    """The key for this address's form, the same in every tab (a query) or, for lists, for this showing of the page.

    `many`: rows and verbs to choose from, whose every choice is a form of its own.
    """
    place = hashlib.sha256(f"{request.get_full_path()}\n{name}".encode()).hexdigest()[:32]
    shown = _last_of(request, place) if tabs else time.time_ns()
    return f"{place}-{shown}{'+' if many else ''}"


def _last_of(request: HttpRequest, place: str) -> int:
    """The last form that this person sent from there; asked once a page, however many rows have a form."""
    known: dict[str, int] = request.__dict__.setdefault("last_forms", {})
    if place not in known:
        rows = SentForm.objects.filter(by_id=request.user.pk, place=place)
        known[place] = rows.aggregate(last=Max("pk"))["last"] or 0
    return known[place]


def use_up(request: HttpRequest, used: bool = True) -> None:
    """For a view whose answer does not tell: it acted and shows a page, or leads on without having done anything."""
    request.form_spent = used  # type: ignore[attr-defined]


def forget() -> None:
    """Let go of forms that nobody can have open any more."""
    SentForm.objects.filter(sent_at__lt=database_time() - KEPT).delete()


class OneTimeForms:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if (form := getattr(request, "sent_form", None)) is not None:
            _settle(form, request, response)
        return response

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        """After the CSRF check and before the view."""
        if request.method != "POST" or not request.user.is_authenticated:
            return None
        key = request.POST.get(NAME)
        if key is None:
            return None if _may_come_without(request) else HttpResponse(_KEYLESS, status=400)
        shape = _SHAPE.fullmatch(key)
        if shape is None:
            return HttpResponse(_BROKEN, status=400)
        unique = key + (_content(request) if key.endswith("+") else "")
        form, first = SentForm.objects.get_or_create(by_id=request.user.pk, key=unique, defaults={"place": shape[1]})
        if first:
            request.sent_form = form  # type: ignore[attr-defined]
            return None
        return _again(request, form)


def _may_come_without(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and match.view_name in settings.FORMS_WITHOUT_KEY


def _content(request: HttpRequest) -> str:
    sent = sorted((name, request.POST.getlist(name)) for name in request.POST if name != "csrfmiddlewaretoken")
    return hashlib.sha256(repr(sent).encode()).hexdigest()[:32]


def _settle(form: SentForm, request: HttpRequest, response: HttpResponse) -> None:
    """A form that led somewhere is used; one that was refused is not; after a breakdown nobody knows."""
    rows = SentForm.objects.filter(pk=form.pk)
    used = getattr(request, "form_spent", response.status_code == 500 or 300 <= response.status_code < 400)
    if used:
        rows.update(answer=response.get("Location", request.get_full_path()))
    else:
        rows.delete()


def _again(request: HttpRequest, form: SentForm) -> HttpResponse:
    """To where the first one led, as soon as that is known."""
    until = time.monotonic() + PATIENCE
    while not form.answer and time.monotonic() < until and database_time() - form.sent_at < timedelta(minutes=1):
        time.sleep(0.1)
        form = SentForm.objects.filter(pk=form.pk).first() or SentForm(answer=request.get_full_path())
    messages.info(request, _AGAIN if form.answer else _UNKNOWN)
    return redirect(form.answer or request.get_full_path())
