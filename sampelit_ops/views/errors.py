"""Error pages that say what to do next, and the icon. They need no database, so they work when it is gone.

In: the request and what went wrong. Out: `error.html` with a cause, what was not changed, and the next steps.
"""

from __future__ import annotations

from functools import lru_cache

from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control

from sampelit_ops.logging import request_id


def _page(request: HttpRequest, status: int, title: str, cause: str, steps: list[str]) -> HttpResponse:
    context = {"title": title, "cause": cause, "steps": steps, "status": status, "request_id": request_id.get()}
    return render(request, "error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the request itself makes no sense."""
    return _page(request, 400, "That request could not be read", "Nothing was changed.", ["Go back and try again."])


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: the person's roles do not allow it."""
    cause = str(exception)[:300] or "Your roles do not include this. Nothing was changed."
    steps = ["Ask an admin which role you need.", "Signed in as the wrong person? Log out and sign in again."]
    return _page(request, 403, "You may not do that", cause, steps)


def not_found(request: HttpRequest, exception: Http404) -> HttpResponse:
    """404: no such page or row."""
    steps = ["Check the address; ids are complete and in capitals.", "Use the search on the home page."]
    return _page(request, 404, "There is nothing here", "No page and no record has this address.", steps)


def broken(request: HttpRequest) -> HttpResponse:
    """500: our own fault; the log has it under the request id."""
    cause = "The portal made a mistake while answering. What you asked for may or may not have happened."
    steps = [
        "Before you repeat it, open the timeline: every change that took place is in it.",
        "Give the request id below to whoever reads the log.",
        "sampelit-ops doctor tells whether the portal itself is well.",
    ]
    return _page(request, 500, "The portal failed", cause, steps)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 of the CSRF check: usually a page left open over a sign-in."""
    steps = ["Reload the page you came from and send the form again.", "If it happens again, sign out and in."]
    return _page(request, 403, "The form was out of date", "It was not accepted, and nothing was changed.", steps)


@cache_control(public=True, max_age=86_400)
def favicon(request: HttpRequest) -> HttpResponse:
    """The icon, for browsers that ask at the old address."""
    return HttpResponse(_icon(), content_type="image/svg+xml")


@lru_cache(maxsize=1)
def _icon() -> bytes:
    path = finders.find("ops/favicon.svg")
    if not isinstance(path, str):
        raise Http404
    with open(path, "rb") as file:
        return file.read()
