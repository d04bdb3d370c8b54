"""The doctor's page: the last round of checks, a button to run it now, a button to send a test message.

In: what `operations.doctor` found. Out: one table, worst first.
"""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from operations import notify
from operations.authority import holds_somewhere
from operations.doctor import jobs, worst
from operations.doctor.periodic import duties
from operations.models.ulid import new_ulid
from operations.periodic import calls
from providers import outside

MAY_LOOK = "operations.view_heartbeat"
MAY = "ledger.verify_ledger"


@require_http_methods(["GET", "POST"])
def doctor_page(request: HttpRequest) -> HttpResponse:
    """GET shows the last round; POST runs it, or sends a test message, for whoever may ask for verification."""
    if not request.user.has_perm(MAY_LOOK):
        raise PermissionDenied
    if request.method == "POST":
        return _act(request)
    beat, checks = jobs.kept()
    context = {
        **admin.site.each_context(request),
        "title": "Doctor",
        "beat": beat,
        "checks": checks,
        "duties": duties(),
        "calls": calls.by_provider(),
        "red": sum(check.tone == "bad" for check in checks),
        "amber": sum(check.tone == "warn" for check in checks),
        "may_run": request.user.has_perm(MAY),
        "may_connect": holds_somewhere(request.user, "operations.change_environment"),
    }
    return render(request, "admin/doctor.html", context)


def _act(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm(MAY):
        raise PermissionDenied
    if "test" in request.POST:
        who = request.user.get_username()
        made = notify.enqueue(
            f"test:{new_ulid()}", subject="Test message", body=f"{who} asked for it.", path=request.path
        )
        messages.success(
            request, f"A test message is on its way through {made} channels; Notifications shows what came."
        )
    else:
        try:
            with outside.waiting():
                tone = worst(jobs.round_of_checks())
        except outside.Busy as busy:
            messages.error(request, busy.message)
            return redirect("admin:doctor")
        show = {"bad": messages.error, "warn": messages.warning}.get(tone, messages.success)
        show(
            request,
            {"bad": "Something is red.", "warn": "Nothing is red, something is amber."}.get(tone, "All is well."),
        )
    return redirect("admin:doctor")
