"""The doctor's page: the last round of checks, a button to run it now, a button to send a test message.

In: what `operations.doctor` found. Out: what needs somebody, worst first; the others folded.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from operations import notify
from operations.authority import holds_somewhere
from operations.doctor import jobs
from operations.doctor.duties import duties
from operations.engine import tick
from operations.models import Heartbeat
from operations.models.operation import database_now
from operations.models.ulid import new_ulid
from operations.periodic import calls

MAY_LOOK = "operations.view_heartbeat"
MAY = "ledger.verify_ledger"
LATE_SECONDS = 60
NEEDS_SOMEBODY = ("bad", "warn")
TONES = {"bad": "red", "warn": "amber", "ok": "well", "idle": "idle"}


@require_http_methods(["GET", "POST"])
@permission_required(MAY_LOOK, raise_exception=True)
def doctor_page(request: HttpRequest) -> HttpResponse:
    """GET shows the last round; POST has a worker run one, or sends a test message, for whoever may verify."""
    if request.method == "POST":
        return _act(request)
    beat, checks = jobs.kept()
    context = {
        **admin.site.each_context(request),
        "title": "Doctor",
        "beat": beat,
        "checks": checks,
        "findings": [check for check in checks if check.tone in NEEDS_SOMEBODY],
        "others": [check for check in checks if check.tone not in NEEDS_SOMEBODY],
        "duties": duties(),
        "calls": calls.by_provider(),
        **{word: sum(check.tone == tone for check in checks) for tone, word in TONES.items()},
        "may_run": request.user.has_perm(MAY),
        "may_connect": holds_somewhere(request.user, "operations.change_environment"),
    }
    return render(request, "admin/doctor.html", context)


@permission_required(MAY, raise_exception=True)
def _act(request: HttpRequest) -> HttpResponse:
    if "test" in request.POST:
        who = request.user.get_username()
        made = notify.enqueue(
            f"test:{new_ulid()}", subject="Test message", body=f"{who} asked for it.", path=request.path
        )
        messages.success(
            request, f"A test message is on its way through {made} channels; Notifications shows what came."
        )
    elif not_since := _no_worker_since():
        what = "Nothing was run. Look at the workers, or run sampelit-ops doctor in a service's shell."
        messages.error(request, f"No worker does its duties since {not_since:%Y-%m-%d %H:%M} UTC. {what}")
    else:
        tick.hasten(jobs.NAME)
        messages.success(request, "A worker runs all checks within half a minute; this page shows them then.")
    return redirect("admin:doctor")


def _no_worker_since() -> datetime | None:
    """When a worker did its duties last, where that is too long ago to wait for the next."""
    beat = Heartbeat.objects.filter(name="tick", beat_at__lt=database_now(-LATE_SECONDS)).first()
    return beat.beat_at if beat else None
