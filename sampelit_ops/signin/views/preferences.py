"""What a person chose for their own pages: the zone in which times are shown. Kept with the person, not the browser."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import available_timezones

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from sampelit_ops.models import Preference
from sampelit_ops.signin.person import person

UTC = "UTC"


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """UTC, then every place of the tz database."""
    places = (name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return (UTC, *sorted(places))


@require_POST
def time_zone(request: HttpRequest) -> HttpResponse:
    """Store it, and go back to where one was."""
    chosen = request.POST.get("time_zone", "")
    if chosen not in zones():
        messages.error(request, f"There is no time zone {chosen[:64]!r}. Times are shown as before.")
    else:
        Preference.objects.update_or_create(user=person(request), defaults={"time_zone": chosen})
        messages.success(request, f"Times are shown in {chosen} from now on, wherever you sign in.")
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        return redirect(back)
    return redirect("account:sessions")
