"""The page: who could pass by the portal, place by place, and the button that attests it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from operations.web.pages import render_page
from providers.errors import Refused
from sampelit_ops.outsiders import attestation
from sampelit_ops.outsiders.readings import kept
from sampelit_ops.signin.person import person

MAY_LOOK = "operations.view_heartbeat"


@require_http_methods(["GET", "POST"])
@permission_required(MAY_LOOK, raise_exception=True)
def outsiders_page(request: HttpRequest) -> HttpResponse:
    """GET shows the last reading; POST attests exactly what was shown."""
    if request.method == "POST":
        return _attest(request)
    beat, readings = kept()
    context = {
        "title": "Who could pass by us",
        "beat": beat,
        "readings": readings,
        "digest": attestation.digest(readings),
        "last": attestation.last(),
        "why_not": attestation.why_not_attest(person(request)),
    }
    return render_page(request, "admin/outsiders.html", context)


def _attest(request: HttpRequest) -> HttpResponse:
    try:
        attestation.attest(by=person(request), seen=request.POST.get("seen", ""))
        messages.success(request, "Attested; the ledger says so. The doctor asks again in a month.")
    except Refused as refusal:
        messages.error(request, refusal.reason)
    return redirect("admin:outsiders")
