"""Notes of an incident: POST writes one, GET hands everything out as a text. The card stands on the subject's page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from operations.models import Environment
from operations.notes import service
from operations.web.pages import status_of
from providers.errors import Refused


def page(request: HttpRequest, about: str) -> HttpResponse:
    """`/admin/operations/operation/notes/<about>/`."""
    subject = service.subject_of(about)
    if subject is None:
        raise Http404
    assert isinstance(request.user, User)  # noqa: S101 (admin_view lets only people in)
    if not request.user.has_perm(subject.sees):
        raise PermissionDenied
    if request.method != "POST":
        answer = HttpResponse(service.postmortem(about, subject), content_type="text/plain; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{about}.md"'
        return answer
    try:
        service.write(about, request.POST.get("text", ""), by=request.user)
        messages.success(request, "Written into the ledger.")
    except Refused as refusal:
        messages.error(request, refusal.reason)
        return HttpResponse(refusal.reason, status=status_of(refusal), content_type="text/plain; charset=utf-8")
    return redirect(f"{subject.url}#notes")


def card(request: HttpRequest, about: str, environment: Environment) -> dict[str, Any]:
    """What `admin/includes/notes.html` shows."""
    assert isinstance(request.user, User)  # noqa: S101
    why_not = service.why_not_write(request.user, environment)
    return {"about": about, "notes": service.notes_of(about), "why_not_note": why_not}
