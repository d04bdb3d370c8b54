"""One's own personal tokens for the shell (OPS_TOKEN): create, see when used, revoke. The clear text shows once."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.models import AccessToken
from operations.tokens.ending import revoke as end
from operations.tokens.use import make
from operations.web.form_key import use_up
from providers.errors import Refused
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
        try:
            clear = _made(user, form.cleaned_data)
            use_up(request)
            form = TokenForm()
        except Refused as refusal:
            form.add_error("days", refusal.reason)
    rows = AccessToken.objects.filter(user=user).select_related("environment")[:100]
    return page(request, "account/tokens.html", TITLE, form=form, tokens=rows, clear=clear)


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own tokens at once; somebody else's is not found."""
    token = get_object_or_404(AccessToken.objects.select_related("user"), pk=pk, user=request.user.pk)
    end(token, actor=request.user.get_username())
    messages.success(request, f"The token {token.name} is revoked.")
    return redirect("account:tokens")


@transaction.atomic
def _made(user: User, asked: dict[str, Any]) -> str:
    place = asked["environment"].slug if asked["environment"] else ""
    spend(user.username, Binding("signin.token", asked["name"], digest_of(asked["days"], asked["scopes"], place)))
    return make(user, **asked)
