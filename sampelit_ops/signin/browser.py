"""From which device a request comes: its browser in words, and whether this browser signed this person in before.

In: the user agent, and a signed cookie that names whom this browser signed in; neither the address nor the network
says who somebody is. Out: `Firefox on Linux`; a new cookie for the answer.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

SALT = "sampelit_ops.signin.device"
KEPT_SECONDS = 400 * 86_400  # as long as browsers keep a cookie
_MOST = 10
# The first word found names it: Edge and Opera also say Chrome, and Chrome also says Safari.
_BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "CriOS": "Chrome"}
_BROWSERS |= {"FxiOS": "Firefox", "Safari": "Safari"}
_SYSTEMS = {"iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "CrOS": "ChromeOS"}
_SYSTEMS |= {"Mac OS X": "macOS", "Linux": "Linux"}


def words(request: HttpRequest) -> str:
    """What a person knows it by; never the text that the browser sent."""
    said = request.headers.get("User-Agent", "")[:500]
    browser = next((name for mark, name in _BROWSERS.items() if mark in said), "an unknown browser")
    system = next((name for mark, name in _SYSTEMS.items() if mark in said), "")
    return f"{browser} on {system}" if system else browser


def is_known(request: HttpRequest, user: User) -> bool:
    return str(user.pk) in _people(request)


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """This browser has signed this person in; a browser keeps the last ten."""
    people = [str(user.pk), *(known for known in _people(request) if known != str(user.pk))]
    response.set_signed_cookie(
        settings.DEVICE_COOKIE_NAME,
        ".".join(people[:_MOST]),
        salt=SALT,
        max_age=KEPT_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _people(request: HttpRequest) -> list[str]:
    value = request.get_signed_cookie(settings.DEVICE_COOKIE_NAME, "", salt=SALT, max_age=KEPT_SECONDS)
    return value.split(".") if value else []
