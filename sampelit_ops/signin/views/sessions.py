"""Where one is signed in: the list of one's own sessions, and the end of one or of all others."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from sampelit_ops.models import Identity, Session
from sampelit_ops.signin.person import person
from sampelit_ops.signin.sessions import end_sessions
from sampelit_ops.signin.views.pages import page
from sampelit_ops.signin.views.preferences import zones


@require_GET
def sessions(request: HttpRequest) -> HttpResponse:
    """This one first; it is saved before, so that its first page lists it too."""
    request.session.save()
    here = request.session.session_key
    rows = sorted(Session.objects.living().filter(user=person(request))[:100], key=lambda row: row.pk != here)
    linked = Identity.objects.filter(user=request.user.pk, issuer=settings.OIDC_ISSUER).exists()
    provider = settings.OIDC_NAME if settings.OIDC_ISSUER else ""
    shown = {"sessions": rows, "here": here, "provider": provider, "linked": linked, "zones": zones()}
    return page(request, "account/sessions.html", "Sessions", **shown)


@require_POST
def end(request: HttpRequest, public_id: str = "") -> HttpResponse:
    """End one, or all but this one; somebody else's is not found among one's own."""
    user = person(request)
    ended = end_sessions(user, actor=user.username, keep=request.session.session_key, only=public_id)
    said = "1 session is ended." if ended == 1 else f"{ended} sessions are ended."
    messages.success(request, said if ended else "There was none to end.")
    return redirect("account:sessions")
