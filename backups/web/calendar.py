"""The calendar of slots: each day of the last 26 weeks of a policy shows the worst of what its schedule asked for.

In: policies. Out: one heat map each, from one query. A slot whose run ended suspect is suspect, not failed.
"""

from __future__ import annotations

import zoneinfo
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString

from backups.models import Policy, Run, Slot
from operations.web.heat import WEEKS, Day, heat, worst

MOST_POLICIES = 12


def calendars(policies: Sequence[Policy]) -> list[tuple[Policy, SafeString]]:
    """A heat map for each policy, days in the policy's own time zone."""
    since = timezone.now() - timedelta(weeks=WEEKS + 1)
    suspect = Run.objects.filter(operation=OuterRef("operation"), status="suspect")
    rows = Slot.objects.filter(policy__in=policies, at__gte=since).annotate(suspect=Exists(suspect))
    found: dict[int, dict[date, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    zones = {policy.pk: zoneinfo.ZoneInfo(policy.time_zone) for policy in policies}
    for key, at, status, doubted in rows.values_list("policy_id", "at", "status", "suspect"):
        day = at.astimezone(zones[key]).date()
        found[key][day]["suspect" if doubted and status == "failed" else status] += 1
    return [
        (policy, _heat(policy, found[policy.pk], timezone.now().astimezone(zones[policy.pk]).date()))
        for policy in policies
    ]


def _heat(policy: Policy, counted: dict[date, Counter[str]], today: date) -> SafeString:
    days: dict[date, Day] = {day: worst(counter) for day, counter in counted.items()}
    total = sum((counter for counter in counted.values()), Counter[str]())
    told = ", ".join(f"{total[status]:,} {status}" for status in total) or "no slot yet"
    return heat(days, today, f"Slots of {policy}", f"{WEEKS} weeks of {policy} ({policy.cron or 'by hand'}): {told}.")


def page(request: HttpRequest) -> HttpResponse:
    """Every scheduled policy."""
    if not request.user.has_perm("backups.view_slot"):
        raise PermissionDenied
    rows = Policy.objects.filter(slots__isnull=False).select_related("environment").distinct()
    context = {
        **admin.site.each_context(request),
        "title": "Calendar of slots",
        "calendars": calendars(
            list(rows.order_by("-environment__protected", "environment__slug", "name")[:MOST_POLICIES])
        ),
    }
    return TemplateResponse(request, "admin/backups/calendar.html", context)
