"""One's own personal tokens for the shell (OPS_TOKEN): create, see when used, revoke. The clear text shows once."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from ledger.services import record
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.models import AccessToken
from sampelit_ops.signin.forms import TokenForm
from sampelit_ops.signin.person import person
from sampelit_ops.signin.views.pages import page

TITLE = "Personal tokens"


@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The list with the form to create one more."""
    user = person(request)
    form = TokenForm(request.POST or None)
    clear = ""
    if request.method == "POST" and form.is_valid():
        clear = _issue(user, form.cleaned_data["name"], form.cleaned_data["days"])
        form = TokenForm()
    rows = AccessToken.objects.filter(user=user)[:100]
    return page(request, "account/tokens.html", TITLE, form=form, tokens=rows, clear=clear, now=timezone.now())


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own tokens at once; somebody else's is not found."""
    token = get_object_or_404(AccessToken, pk=pk, user=request.user.pk)
    with transaction.atomic():
        if AccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            record("signin.token_revoked", actor=request.user.get_username(), subject=token.name)
    messages.success(request, f"The token {token.name} is revoked.")
    return redirect("account:tokens")


@transaction.atomic
def _issue(user: User, name: str, days: int) -> str:
    spend(user.username, Binding("signin.token", name, digest_of(days)))
    token, clear = AccessToken.objects.issue(user, name, days)
    record("signin.token_created", actor=user.username, subject=token.name, data={"days": days})
    return clear
