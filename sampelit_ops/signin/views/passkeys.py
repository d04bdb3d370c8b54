"""Passkeys of one's own: sign in with one after the password, add, rename, remove."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django_otp import login as otp_login

from ledger.services import record
from operations.factors import devices, enrolments, passkeys
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.models import Passkey
from providers.errors import Refused
from sampelit_ops.signin import first_factor
from sampelit_ops.signin.person import person, proven
from sampelit_ops.signin.sessions import end_access
from sampelit_ops.signin.views.pages import page

BACKEND = "operations.authority.Roles"


@never_cache
@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    """The second half of a sign-in: the session knows whose password was right."""
    session, known = request.session.session_key or "", first_factor.recall(request)
    if known is None:
        messages.error(request, "That took too long. You are not signed in; enter your password again.")
        return redirect("admin:login")
    user, wanted = known
    try:
        device = passkeys.verify(user, session, passkeys.SIGN_IN, request.POST.get("answer", ""))
    except Refused as refusal:
        user_login_failed.send(sender=__name__, credentials={"username": user.username}, request=request)
        messages.error(request, f"{refusal.reason} You are not signed in; enter your password again.")
        return redirect("admin:login")
    user.otp_device = device  # type: ignore[attr-defined]
    login(request, user, backend=BACKEND)
    return redirect(wanted or "admin:index")


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """One more passkey; whoever has a factor already shows it for exactly this one."""
    user, answer, name = person(request), request.POST.get("answer", ""), _name(request)
    if devices.has_factor(user) and not proven(request):
        return redirect("account:second_factor")
    try:
        with transaction.atomic():
            is_first = not devices.locked_has_factor(user)
            if not is_first:
                spend(user.username, Binding("signin.factor", user.username, digest_of("add", name, answer)))
            row = passkeys.register(user, request.session.session_key or "", answer, name)
            codes = devices.new_recovery_codes(user) if is_first else []
            end_access(user, actor=user.username, why="the second factor changed", keep=request.session.session_key)
            record(enrolments.ADDED, actor=user.username, subject=name, data=enrolments.data_of(row))
    except Refused as refusal:
        messages.error(request, refusal.reason)
        return redirect("account:second_factor")
    if is_first:
        request.session.cycle_key()
        otp_login(request, row)
        return page(request, "account/recovery_codes.html", "Recovery codes", codes=codes)
    messages.success(request, f"The passkey {name} is enrolled.")
    return redirect("account:second_factor")


@require_POST
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    user, name = person(request), _name(request)
    row = _own(user, pk)
    with transaction.atomic():
        Passkey.objects.filter(pk=row.pk).update(name=name)
        record("signin.passkey_renamed", actor=user.username, subject=name, data={"before": row.name})
    return redirect("account:second_factor")


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one away; the last factor stays."""
    user = person(request)
    row = _own(user, pk)
    if not devices.confirmed(user) and not Passkey.objects.filter(user=user).exclude(pk=row.pk).exists():
        messages.error(request, "It is your only second factor. Nothing was changed; enrol another one first.")
        return redirect("account:second_factor")
    with transaction.atomic():
        asked = digest_of("remove", row.name, row.credential_id)
        spend(user.username, Binding("signin.factor", user.username, asked))
        Passkey.objects.filter(pk=row.pk).delete()
        end_access(user, actor=user.username, why="the second factor changed", keep=request.session.session_key)
        record(enrolments.REMOVED, actor=user.username, subject=row.name, data=enrolments.removal_of(row))
    messages.success(request, f"The passkey {row.name} is removed.")
    return redirect("account:second_factor")


def _own(user: User, pk: int) -> Passkey:
    return get_object_or_404(Passkey, pk=pk, user=user)


def _name(request: HttpRequest) -> str:
    return " ".join(request.POST.get("name", "").split())[:40] or "passkey"
