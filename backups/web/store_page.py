"""One store on one page: what it was seen to do, which policies it needs, and probing it again (POST)."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from backups.models import Run, StoreReport
from backups.stores import configured
from operations.web import formatting
from providers import outside
from providers.errors import Refused
from providers.storage.base import parse
from providers.storage.iam_policies import NOTES, PURPOSE, documents

MAY = "backups.verify_run"
OTHERS = {
    "bucket": "bucket policy: nobody unprotects, overwrites or speaks without TLS",
    "lifecycle": "lifecycle: probes and hidden versions go by themselves",
}


def usable_badge(row: StoreReport) -> SafeString:
    if not row.usable:
        return formatting.badge("not usable", "bad")
    amber = any(item["tone"] == "warn" for item in row.findings)
    return formatting.badge("usable, look", "warn") if amber else formatting.badge("usable", "ok")


def probe_now(request: HttpRequest, row: StoreReport) -> None:
    """Probe and say so. Raises PermissionDenied for people who may not ask for a verification."""
    if not request.user.has_perm(MAY):
        raise PermissionDenied
    assert isinstance(request.user, User)  # noqa: S101 - has_perm lets only signed-in people through
    try:
        with outside.waiting():
            done = configured.report(row.url, actor=request.user.username)
    except outside.Busy as busy:
        messages.error(request, busy.message)
        return
    level = messages.SUCCESS if done.usable else messages.ERROR
    messages.add_message(request, level, f"{row.url} was probed: {'usable' if done.usable else 'NOT usable'}.")


def page(request: HttpRequest, pk: str, frame: dict[str, Any]) -> HttpResponse:
    row = StoreReport.objects.filter(pk=pk).first() if pk.isdecimal() else None
    if row is None:
        raise Http404
    if request.method == "POST":
        probe_now(request, row)
        return HttpResponseRedirect(reverse("admin:backups_storereport_change", args=[row.pk]))
    context = {
        **frame,
        "title": "Store",
        "store": row,
        "badge": usable_badge(row),
        "use": configured.known().get(row.url, "no longer used for new runs"),
        "runs": Run.objects.filter(store_url=row.url).exclude(stored_at=None).count(),
        "policies": _policies(row.url),
        "notes": NOTES,
        "may_probe": request.user.has_perm(MAY),
    }
    return TemplateResponse(request, "admin/backups/store/page.html", context)


def _policies(url: str) -> list[tuple[str, str, str]]:
    """Name, purpose and text of each document; a directory has none."""
    try:
        address = parse(url)
    except Refused:
        return []
    if address.scheme != "s3":
        return []
    titles = PURPOSE | OTHERS
    return [(name, titles[name], json.dumps(document, indent=2)) for name, document in documents(address).items()]
