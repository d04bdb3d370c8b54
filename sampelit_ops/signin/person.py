"""The signed-in person of a request, and whether this session has shown their second factor."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest
from django_otp import DEVICE_ID_SESSION_KEY

PROVEN_ELSEWHERE = "proven_by_the_provider"


def person(request: HttpRequest) -> User:
    """The row of whoever is signed in; `admin_view` has turned everybody else away."""
    return User.objects.get(username=request.user.get_username())


def proven(request: HttpRequest) -> bool:
    """django-otp's answer; OTPMiddleware puts the method onto the user and drops devices that are gone.

    Or the sign-in provider's, where the settings trust what it says of a second factor.
    """
    if request.session.get(PROVEN_ELSEWHERE):
        return True
    verified = getattr(request.user, "is_verified", None)
    return bool(verified and verified()) and DEVICE_ID_SESSION_KEY in request.session
