"""The form of a policy: a table of the live catalogue to tick, and lines for patterns and tables that do not exist yet.

In: a Policy. Out: the same with its tables. Where the catalogue cannot be read, the lines are enough.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from backups.cron_line import why_no_schedule
from backups.cron_sentence import sentence
from backups.models import Policy
from backups.policies.cron import next_slots
from backups.policies.outside import matches
from backups.web.coverage import live_tables
from operations.models import Environment
from operations.periodic.clock import database_time
from providers.postgres.schema.outside import TOPICS

_TABLE = re.compile(r"^[^.]+\..+$")
_SCHEDULE = {"enabled", "cron", "time_zone"}
SCHEDULE = ("cron", "time_zone", "grace_minutes", "rto_budget_seconds", "ping_url_env", "second_store_env")


class TablePicker(forms.CheckboxSelectMultiple):
    """Draws the choices as a table with size, rows and who copies them already; a search box where scripts run."""

    rows: list[dict[str, Any]]
    problem = ""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        ticked = set(value or [])
        rows = [{**row, "ticked": row["name"] in ticked, "id": f"id_{name}_{n}"} for n, row in enumerate(self.rows)]
        context = {"name": name, "rows": rows, "problem": self.problem, "ticked": len(ticked)}
        return mark_safe(render_to_string("admin/backups/policy/picker.html", context))  # noqa: S308 - autoescaped


KEEP = ("keep_last", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly", "keep_unproven_days")


class TableField(forms.MultipleChoiceField):
    """Takes any schema.table: the catalogue may have changed since the page was drawn; the export checks again."""

    widget = TablePicker

    def valid_value(self, value: Any) -> bool:
        return bool(_TABLE.match(str(value)))


class PolicyForm(forms.ModelForm):
    picked = TableField(label="Tables of the live catalogue", required=False)
    lines = forms.CharField(
        label="Patterns and other names",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One a line: schema.* or * for all of ours, or a table that the list above does not show.",
    )

    not_wanted = forms.MultipleChoiceField(
        label="No copy wanted of",
        required=False,
        choices=[(topic, topic) for topic in TOPICS],
        widget=forms.CheckboxSelectMultiple,
        help_text="Kept otherwise, or worth nothing: where it is nowhere, the coverage of the environment is not red.",
    )

    class Meta:
        model = Policy
        fields = [
            "environment",
            "name",
            "description",
            "closure",
            "not_wanted",
            "format",
            "enabled",
            *SCHEDULE,
            *KEEP,
        ]
        labels: ClassVar = {
            "cron": "Runs (cron)",
            "grace_minutes": "Minutes of grace",
            "rto_budget_seconds": "Longest proof, in seconds (RTO)",
            "ping_url_env": "Variable of the dead-man URL",
            "second_store_env": "Variable of the second store",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        widget = self.fields["picked"].widget
        assert isinstance(widget, TablePicker)  # noqa: S101 - declared above
        if "cron" in self.fields:
            told = {"data-explain": reverse("admin:backups_explain"), "data-explain-with": "time_zone"}
            self.fields["cron"].widget.attrs |= told
        widget.rows, widget.problem = _rows(self.instance, self._place())
        self.spelled = {_qualified(name): name for name in self.instance.tables or []}
        shown = {row["name"] for row in widget.rows}
        self.fields["picked"].initial = [name for name in self.spelled if name in shown]
        self.fields["lines"].initial = "\n".join(text for name, text in self.spelled.items() if name not in shown)

    def _place(self) -> Environment | None:
        """Where the tables are ticked: the policy's own; for a new one as chosen, else the first that there is."""
        if self.instance.pk:
            return self.instance.environment
        chosen = str(self.data.get("environment") or self.initial.get("environment") or "")
        places = Environment.objects.of_the_product()
        return (places.filter(pk=chosen).first() if chosen.isdecimal() else None) or places.first()

    def clean(self) -> dict[str, Any]:
        """Lines and ticks together, each once; a name keeps the spelling that it had.

        A schedule that was changed or switched on again holds from now: no slot of the time before was missed.
        """
        cleaned = super().clean() or {}
        if _SCHEDULE & set(self.changed_data):
            self.instance.scheduled_at = database_time()
        lines = [line.strip() for line in cleaned.get("lines", "").splitlines() if line.strip()]
        chosen = dict.fromkeys(_qualified(name) for name in cleaned.get("picked", []))
        spelled = self.spelled | {_qualified(line): line for line in lines}
        wanted = [*(_qualified(line) for line in lines), *chosen]
        names = [*(name for name in self.spelled if name in wanted), *wanted]
        if not names:
            raise ValidationError("Name at least one table.")
        self.instance.tables = [spelled.get(name, name) for name in dict.fromkeys(names)]
        return cleaned


def next_times(cron: str, time_zone: str) -> str:
    """A schedule as a sentence, with its next five times, in its own zone; or why it is none."""
    if time_zone not in available_timezones():
        return f"There is no time zone {time_zone[:64]!r}."
    if why := why_no_schedule(cron):
        return why
    zone = ZoneInfo(time_zone)
    times = next_slots(cron, time_zone, database_time(), 5)
    shown = ", ".join(f"{at.astimezone(zone):%a %Y-%m-%d %H:%M}" for at in times)
    return f"It runs {sentence(cron)}, next at {shown} ({zone})."


@permission_required("backups.view_policy", raise_exception=True)
def explain(request: HttpRequest) -> HttpResponse:
    """What is typed as a schedule, in words; nothing where nothing is typed."""
    cron, zone = request.GET.get("cron", "")[:100], request.GET.get("time_zone", "")[:64]
    text = next_times(cron, zone) if cron.strip() else "It runs only when somebody asks."
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def _qualified(name: str) -> str:
    return name if "." in name or name == "*" else f"public.{name}"


def _rows(policy: Policy, environment: Environment | None) -> tuple[list[dict[str, Any]], str]:
    """Every table of the environment with the policies that copy it, largest first; or why there are none."""
    if environment is None:
        return [], "There is no environment yet; add one first."
    tables, problem = live_tables(environment)
    others = list(Policy.objects.filter(environment=environment, enabled=True))
    return [
        {
            "name": table.name,
            "size": table.size_bytes,
            "rows": table.rows,
            "policies": [p.name for p in others if any(matches(pattern, table.name) for pattern in p.tables)],
        }
        for table in tables
    ], problem
