"""The page of one's own second factor: enrol, prove it in this session, replace it, make new recovery codes."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST
from django_otp import login as otp_login

from ledger.services import record
from operations.factors import devices
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.tokens.ending import end_tokens
from providers.errors import Refused
from sampelit_ops.signin.forms import CodeForm
from sampelit_ops.signin.person import person, proven
from sampelit_ops.signin.views.pages import page

TITLE = "Second factor"


@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Enrolment for whoever has none, the code for an unproven session, else the state and what can be done."""
    user = person(request)
    device = devices.confirmed(user)
    if device is None:
        return _enrol(request, user)
    if not proven(request):
        return _prove(request, user)
    codes = devices.remaining_recovery_codes(user)
    return page(request, "account/second_factor.html", TITLE, device=device, codes_left=codes)


@require_POST
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes; the old ones stop working."""
    user = person(request)
    with transaction.atomic():
        spend(user.username, Binding("signin.recovery_codes", user.username, ""))
        codes = devices.new_recovery_codes(user)
        record("signin.recovery_codes_made", actor=user.username)
        end_tokens(user, actor=user.username, why="the recovery codes changed")
    return page(request, "account/recovery_codes.html", "Recovery codes", codes=codes)


@require_http_methods(["GET", "POST"])
def replace(request: HttpRequest) -> HttpResponse:
    """A new phone: the old device counts until the new one is confirmed, and only a proven session may do it."""
    user = person(request)
    if devices.confirmed(user) and not proven(request):
        return redirect("account:second_factor")
    return _enrol(request, user)


def _enrol(request: HttpRequest, user: User) -> HttpResponse:
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                if devices.confirmed(user):
                    key = devices.pending(user).key
                    spend(user.username, Binding("signin.factor", user.username, digest_of(key)))
                device, codes = devices.confirm(user, form.cleaned_data["code"])
                record("signin.second_factor_enrolled", actor=user.username)
                end_tokens(user, actor=user.username, why="the second factor changed")
        except Refused as refusal:
            form.add_error("code", refusal.reason)
        else:
            request.session.cycle_key()
            otp_login(request, device)
            return page(request, "account/recovery_codes.html", "Recovery codes", codes=codes)
    device = devices.pending(user)
    shown = {"form": form, "qr": devices.qr_svg(device), "key": devices.base32(device)}
    return page(request, "account/enrol.html", "Enrol a second factor", **shown)


def _prove(request: HttpRequest, user: User) -> HttpResponse:
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            otp_login(request, devices.verify(user, form.cleaned_data["code"]))
        except Refused as refusal:
            form.add_error("code", refusal.reason)
        else:
            request.session.cycle_key()
            return redirect("admin:index")
    return page(request, "account/prove.html", TITLE, form=form)
