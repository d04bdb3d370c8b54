"""The way to the sign-in provider and back; and linking an account that was here before to an identity there.

A link is begun by a form of one's own and goes on by a plain link, because the content security policy sends forms
to nobody else.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from operations.factors import devices
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from providers.errors import ProviderError, Refused
from sampelit_ops.signin.oidc import attempt, people
from sampelit_ops.signin.person import PROVEN_ELSEWHERE, person
from sampelit_ops.signin.views.pages import page

logger = logging.getLogger(__name__)
BACKEND = "operations.authority.Roles"


@never_cache
@require_GET
def begin(request: HttpRequest) -> HttpResponse:
    """To the provider; where it is away, back with the reason."""
    _must_be_on()
    wanted = request.GET.get("next", "")
    local = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    try:
        return redirect(attempt.begin(request, wanted if local else reverse("admin:index")))
    except (ProviderError, Refused) as refusal:
        return _refused(request, str(refusal))


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Back from the provider: signed in, linked, or refused with the reason."""
    _must_be_on()
    try:
        begun, claims = attempt.complete(request)
        if begun.link:
            return _link(request, begun.link, claims)
        user = people.person_of(claims)
    except (ProviderError, Refused) as refusal:
        return _refused(request, str(refusal))
    login(request, user, backend=BACKEND)
    request.session[PROVEN_ELSEWHERE] = people.by_provider(claims)
    return redirect(begun.next)


@require_POST
def link(request: HttpRequest) -> HttpResponse:
    """A page with the way on: whoever is signed in asked for it themselves."""
    _must_be_on()
    user = person(request)
    if devices.has_factor(user):
        spend(user.username, Binding("signin.factor", user.username, digest_of("link", settings.OIDC_ISSUER)))
    try:
        address = attempt.begin(request, reverse("account:sessions"), link=user.pk)
    except (ProviderError, Refused) as refusal:
        messages.error(request, str(refusal).replace("Nobody was signed in", "Nothing was changed"))
        return redirect("account:sessions")
    return page(request, "account/link.html", "Link your account", address=address, provider=settings.OIDC_NAME)


def _link(request: HttpRequest, asked_by: int, claims: dict[str, object]) -> HttpResponse:
    if request.user.pk != asked_by:
        raise Refused("You are not signed in as whoever asked for this link. Nothing was changed; begin again.")
    people.link(person(request), claims)
    messages.success(request, f"You can sign in with {settings.OIDC_NAME} from now on.")
    return redirect("account:sessions")


def _must_be_on() -> None:
    if not settings.OIDC_ISSUER:
        raise Http404


def _refused(request: HttpRequest, reason: str) -> HttpResponse:
    logger.warning("sign-in by the provider refused: %s", reason)
    messages.error(request, reason)
    return redirect("account:sessions" if request.user.is_authenticated else "admin:login")
