"""The page of one's own second factor: enrol, prove it in this session, replace it, make new recovery codes."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST
from django_otp import login as otp_login

from ledger.services import record
from operations.factors import devices, passkeys
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.models import Passkey
from providers.errors import Refused
from sampelit_ops.signin.forms import CodeForm
from sampelit_ops.signin.person import person, proven
from sampelit_ops.signin.sessions import end_access
from sampelit_ops.signin.views.pages import page

TITLE, PROVE = "Second factor", "prove"


@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Enrolment for whoever has none, the code for an unproven session, else the state and what can be done."""
    user = person(request)
    if not devices.has_factor(user):
        return _enrol(request, user, is_first=True)
    if not proven(request):
        return _prove(request, user)
    known = passkeys.of(user)
    shown = {"device": devices.confirmed(user), "passkeys": known, **_adding(request, user, known)}
    codes = devices.remaining_recovery_codes(user)
    return page(request, "account/second_factor.html", TITLE, codes_left=codes, **shown)


@require_POST
def remove_app(request: HttpRequest) -> HttpResponse:
    """Whoever has a passkey needs no authenticator app."""
    user = person(request)
    device = devices.confirmed(user)
    if device is None or not passkeys.of(user):
        messages.error(request, "It is your only second factor. Nothing was changed; enrol another one first.")
        return redirect("account:second_factor")
    with transaction.atomic():
        spend(user.username, Binding("signin.factor", user.username, digest_of("remove app", device.pk)))
        devices.remove_app(user)
        end_access(user, actor=user.username, why="the second factor changed", keep=request.session.session_key)
        record("signin.app_removed", actor=user.username)
    return redirect("account:second_factor")


def _adding(request: HttpRequest, user: User, known: list[Passkey]) -> dict[str, str]:
    """What the form for one more passkey needs; its origin, because a browser at another one has none."""
    session = request.session.session_key or ""
    return {"options": passkeys.registration(user, session, known), "origin": settings.PASSKEY_ORIGIN}


@require_POST
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes; the old ones stop working."""
    user = person(request)
    with transaction.atomic():
        spend(user.username, Binding("signin.recovery_codes", user.username, ""))
        codes = devices.new_recovery_codes(user)
        end_access(user, actor=user.username, why="the recovery codes changed", keep=request.session.session_key)
        record("signin.recovery_codes_made", actor=user.username)
    return page(request, "account/recovery_codes.html", "Recovery codes", codes=codes)


@require_http_methods(["GET", "POST"])
def replace(request: HttpRequest) -> HttpResponse:
    """A new phone: the old device counts until the new one is confirmed, and only a proven session may do it."""
    user = person(request)
    is_first = not devices.has_factor(user)
    if not is_first and not proven(request):
        return redirect("account:second_factor")
    return _enrol(request, user, is_first)


def _enrol(request: HttpRequest, user: User, is_first: bool) -> HttpResponse:
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                if devices.locked_has_factor(user):
                    key = devices.pending(user).key
                    spend(user.username, Binding("signin.factor", user.username, digest_of(key)))
                device = devices.confirm(user, form.cleaned_data["code"])
                codes = devices.new_recovery_codes(user)
                end_access(user, actor=user.username, why="the second factor changed", keep=request.session.session_key)
                record("signin.second_factor_enrolled", actor=user.username)
        except Refused as refusal:
            form.add_error("code", refusal.reason)
        else:
            request.session.cycle_key()
            otp_login(request, device)
            return page(request, "account/recovery_codes.html", "Recovery codes", codes=codes)
    device = devices.pending(user)
    shown = {"form": form, "qr": devices.qr_svg(device), "key": devices.base32(device)}
    shown |= _adding(request, user, []) if is_first else {}
    return page(request, "account/enrol.html", "Enrol a second factor", **shown)


def _prove(request: HttpRequest, user: User) -> HttpResponse:
    session, answer = request.session.session_key or "", request.POST.get("answer", "")
    form = CodeForm(None if answer else request.POST or None)
    if request.method == "POST" and (answer or form.is_valid()):
        try:
            if answer:
                otp_login(request, passkeys.verify(user, session, PROVE, answer))
            else:
                otp_login(request, devices.verify(user, form.cleaned_data["code"]))
        except Refused as refusal:
            messages.error(request, refusal.reason)
        else:
            request.session.cycle_key()
            return redirect("admin:index")
    options = passkeys.request(user, session, PROVE)
    return page(request, "account/prove.html", TITLE, form=form, options=options, has_codes=devices.has_codes(user))
