"""What holds between sign-in and sign-out: session limits, the duty of a second factor, what every answer
tells the browser, and the log of refusals.

In: every request. Out: the page, or the way to sign in or enrol. Requests that scripts send by themselves (live
refresh) never keep a session alive.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from ledger.services import record
from operations import authority
from operations.periodic.clock import database_time
from sampelit_ops.roles import ACTING
from sampelit_ops.signin.person import proven
from sampelit_ops.signin.sessions import began, describe

logger = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]
_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation"),
        *(
            "gyroscope",
            "magnetometer",
            "microphone",
            "midi",
            "payment",
            "picture-in-picture",
            "usb",
            "xr-spatial-tracking",
        ),
    )
)
_WRITE_EVERY = 60.0


class ResponseHeaders:
    """What every answer tells the browser: no device features, nothing for other origins, nothing kept of what a
    person saw, and forgotten at the sign-out what it had kept."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        signed_in = request.user.is_authenticated
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", _POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if signed_in:
            response.headers.setdefault("Cache-Control", "no-store")
        if signed_in and not request.user.is_authenticated:
            response.headers["Clear-Site-Data"] = '"cache"'
        return response


class RefusalLog:
    """A line for each act that was refused to somebody who is signed in: who, what, and the request's id."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        person = request.user.get_username()
        response = self.get_response(request)
        if person and response.status_code == 403:
            logger.warning("refused to %s: %s %s", person, request.method, request.path)
        return response


class SessionLimits:
    """A session ends after an idle hour, after twelve hours, and when its person's roles change.

    (A changed password ends it too: django.contrib.auth's session hash.)
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        before = request.user
        ended = _why_ended(request, before) if isinstance(before, User) else ""
        if not ended:
            return _changed(before, request, self.get_response(request))
        logout(request)
        if _by_script(request):
            return HttpResponse("Signed out. Reload the page.", status=401, content_type="text/plain")
        messages.warning(request, ended)
        return redirect_to_login(request.get_full_path() if request.method == "GET" else reverse("admin:index"))


def _changed(before: User | AnonymousUser, request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Whoever signed in or out while the page was made: Django then puts another user onto the request."""
    now = request.user
    if now is not before:
        if isinstance(before, User) and before.pk != now.pk:
            record("signin.signed_out", actor=before.get_username())
        if isinstance(now, User):
            began(request, response, now)
    return response


def _why_ended(request: HttpRequest, user: User) -> str:
    session = request.session
    now = (getattr(session, "loaded_at", None) or database_time()).timestamp()
    standing = _standing(user)
    if "began_at" not in session:
        describe(request)
    if "standing" not in session:
        session["standing"] = standing
    if now - session["began_at"] > settings.SESSION_ABSOLUTE_SECONDS:
        return "You were signed out: a session lasts twelve hours at most. Sign in again."
    if now - session["seen_at"] > settings.SESSION_IDLE_SECONDS:
        return "You were signed out after an hour without activity. Sign in again."
    if session["standing"] != standing:
        return "You were signed out because your roles changed. Sign in again."
    if now - session["seen_at"] > _WRITE_EVERY and not _by_script(request):
        session["seen_at"] = now
    return ""


def _standing(user: User) -> list[str]:
    """The person's roles and where they hold them, and whether they are staff or superuser."""
    return [*_roles(user), f"staff {user.is_staff}", f"superuser {user.is_superuser}"]


def _roles(user: User) -> list[str]:
    """One query, kept on the user of this request."""
    known: list[str] | None = getattr(user, "_roles", None)
    if known is None:
        known = user._roles = authority.roles(user)  # type: ignore[attr-defined]
    return known


def _by_script(request: HttpRequest) -> bool:
    """fetch() and XMLHttpRequest, as the browser itself says (W3C Fetch Metadata)."""
    return request.headers.get("Sec-Fetch-Dest") == "empty"


class SecondFactor:
    """Outside the demo nobody sees anything but enrolment until a second factor is confirmed (OPS_FACTOR_FOR)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.DEMO or not request.user.is_authenticated or not _must_have(request.user):
            return self.get_response(request)
        if proven(request) or _open(request.path):
            return self.get_response(request)
        return redirect("account:second_factor")


def _must_have(user: User) -> bool:
    if settings.OPS_FACTOR_FOR != "acting":
        return True
    return user.is_superuser or any(role.partition("@")[0] in ACTING for role in _roles(user))


def _open(path: str) -> bool:
    names = ("account:second_factor", "account:add_passkey", "admin:logout", "admin:jsi18n")
    return path in map(reverse, names) or path.startswith(("/static/", "/healthz", "/readyz"))
