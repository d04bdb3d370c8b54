"""The calendar of slots: each day of the last 26 weeks of a policy shows the worst of what its schedule asked for.

In: policies. Out: one heat map each, from one query. A slot whose run ended suspect is suspect, not failed.
"""

from __future__ import annotations

import zoneinfo
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

from django.contrib.auth.decorators import permission_required
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from backups.models import Policy, Run, Slot
from operations.web.charts import twin
from operations.web.pages import render_page

MOST_POLICIES = 12


def calendars(policies: Sequence[Policy]) -> list[tuple[Policy, SafeString]]:
    """A heat map for each policy, days in the policy's own time zone."""
    since = timezone.now() - timedelta(weeks=WEEKS + 1)
    suspect = Run.objects.filter(operation=OuterRef("operation"), status="suspect")
    rows = Slot.objects.filter(policy__in=policies, at__gte=since).annotate(suspect=Exists(suspect))
    days: dict[int, dict[date, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    zones = {policy.pk: zoneinfo.ZoneInfo(policy.time_zone) for policy in policies}
    for key, at, status, doubted in rows.values_list("policy_id", "at", "status", "suspect"):
        day = at.astimezone(zones[key]).date()
        days[key][day]["suspect" if doubted and status == "failed" else status] += 1
    return [
        (policy, _heat(policy, days[policy.pk], timezone.now().astimezone(zones[policy.pk]).date()))
        for policy in policies
    ]


def _heat(policy: Policy, counted: dict[date, Counter[str]], today: date) -> SafeString:
    days: dict[date, Day] = {day: worst(counter) for day, counter in counted.items()}
    total = sum((counter for counter in counted.values()), Counter[str]())
    totals = ", ".join(f"{total[status]:,} {status}" for status in total) or "no slot yet"
    return heat(days, today, f"Slots of {policy}", f"{WEEKS} weeks of {policy} ({policy.cron or 'by hand'}): {totals}.")


@permission_required("backups.view_slot", raise_exception=True)
def page(request: HttpRequest) -> HttpResponse:
    """Every scheduled policy."""
    rows = Policy.objects.filter(slots__isnull=False).select_related("environment").distinct()
    context = {
        "title": "Calendar of slots",
        "calendars": calendars(
            list(rows.order_by("-environment__protected", "environment__slug", "name")[:MOST_POLICIES])
        ),
    }
    return render_page(request, "admin/backups/calendar.html", context)


WEEKS, STEP, SIZE = 26, 13, 10
LEFT, TOP = 26, 14
STATUSES = ("proven", "suspect", "late", "missed", "failed", "started")  # a day shows the worst: see `worst`
WORST_FIRST = ("failed", "missed", "suspect", "late", "started", "proven")
SHAPES = {
    "proven": ("ok", "M{x} {y}h10v10h-10z"),
    "suspect": ("warn", "M{x} {b}l5 -10l5 10z"),
    "late": ("warn", "M{x} {m}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z"),
    "missed": ("stroke warn", "M{x} {y}m1 1h8v8h-8z"),
    "failed": ("stroke bad", "M{x} {y}m1 1l8 8m0 -8l-8 8"),
    "started": ("run", "M{x} {y}m3 0h4v10h-4z"),
}
_ids = count(1)


@dataclass(frozen=True)
class Day:
    """`told` is what the day's mark says when pointed at: the statuses of all its slots."""

    status: str
    told: str


def worst(statuses: Counter[str]) -> Day:
    """A day with several slots shows the worst of them, and tells them all."""
    known = [status for status in WORST_FIRST if statuses[status]]
    return Day(known[0], ", ".join(f"{statuses[status]} {status}" for status in known))


def heat(days: Mapping[date, Day], until: date, title: str, description: str) -> SafeString:
    """The 26 weeks that end with the week of `until`; days without a slot are small dots."""
    monday = until - timedelta(days=until.weekday(), weeks=WEEKS - 1)
    shown = [monday + timedelta(days=number) for number in range((until - monday).days + 1)]
    name, height = f"heat-{next(_ids)}", TOP + 7 * STEP
    return format_html(
        '<figure class="chart heat"><svg viewBox="0 0 {} {}" role="img" aria-labelledby="{n}-t {n}-d">'
        '<title id="{n}-t">{}</title><desc id="{n}-d">{}</desc>{}{}{}</svg><figcaption>{} {}</figcaption>'
        "<details><summary>As a table, by week</summary>{}</details></figure>",
        LEFT + WEEKS * STEP,
        height,
        title,
        description,
        _labels(monday),
        _plain(shown, days, monday),
        _marked(shown, days, monday),
        description,
        _legend(),
        twin(HEAD, _weeks(shown, days)),
        n=name,
    )


HEAD = ("Week of", *(status.capitalize() for status in STATUSES), "Days that need a look")


def _place(day: date, monday: date) -> tuple[int, int]:
    week, weekday = divmod((day - monday).days, 7)
    return LEFT + week * STEP, TOP + weekday * STEP


def _shape(status: str, x: int, y: int) -> str:
    return SHAPES[status][1].format(x=x, y=y, m=y + SIZE // 2, b=y + SIZE)


def _plain(shown: list[date], days: Mapping[date, Day], monday: date) -> SafeString:
    """Proven days and empty ones, each as one path: there are many of them and nothing to say of any."""
    proven = "".join(_shape("proven", *_place(d, monday)) for d in shown if d in days and days[d].status == "proven")
    empty = "".join("M{} {}h2v2h-2z".format(*(p + 4 for p in _place(d, monday))) for d in shown if d not in days)
    return format_html('<path class="idle" d="{}"/><path class="ok" d="{}"/>', empty, proven)


def _marked(shown: list[date], days: Mapping[date, Day], monday: date) -> SafeString:
    odd = [(day, days[day]) for day in shown if day in days and days[day].status != "proven"]
    return format_html_join(
        "",
        '<path class="{}" d="{}"><title>{}: {}</title></path>',
        ((SHAPES[cell.status][0], _shape(cell.status, *_place(day, monday)), f"{day}", cell.told) for day, cell in odd),
    )


def _labels(monday: date) -> SafeString:
    """Month names above the first week of each month, three weekdays at the left."""
    starts = [monday + timedelta(weeks=number) for number in range(WEEKS)]
    months = [(LEFT + n * STEP, 9, f"{d:%b}") for n, d in enumerate(starts) if d.day <= 7]
    weekdays = [(0, TOP + row * STEP + 9, word) for row, word in ((0, "Mon"), (2, "Wed"), (4, "Fri"))]
    return format_html_join("", '<text x="{}" y="{}">{}</text>', months + weekdays)


def _legend() -> SafeString:
    return format_html_join(
        " ",
        '<span class="key"><svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">'
        '<path class="{}" d="{}"/></svg> {}</span>',
        ((SHAPES[status][0], _shape(status, 0, 0), status) for status in STATUSES),
    )


def _weeks(shown: list[date], days: Mapping[date, Day]) -> list[tuple[str, ...]]:
    """Newest week first; a week without any slot is left out."""
    rows = []
    for start in reversed(shown[::7]):
        week = [day for day in (start + timedelta(days=n) for n in range(7)) if day in days]
        counted = Counter(days[day].status for day in week)
        odd = "; ".join(f"{day:%a %d}: {days[day].told}" for day in week if days[day].status != "proven")
        if week:
            rows.append((f"{start}", *(str(counted[status]) for status in STATUSES), odd or "none"))
    return rows
