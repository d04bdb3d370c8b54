"""The Recover page: ask what was lost and when, show every way back, start one; then write the migration for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from migrations_registry.models import DriftIncident
from operations.authority import holds_somewhere
from operations.models import Environment, Operation
from operations.web.pages import INCOMPLETE, render_page
from operations.web.verbs import Verb, asking
from providers.errors import ProviderError, Refused
from sampelit_ops.recover.loss import KINDS, Lost, of_form
from sampelit_ops.recover.migration_writer import write
from sampelit_ops.recover.option import Option
from sampelit_ops.recover.options import restored, ways
from sampelit_ops.recover.validation import refuse_unknown

WRITES = "migrations_registry.register_migrationfile"


def _example(text: str) -> forms.TextInput:
    return forms.TextInput(attrs={"placeholder": text})


class LostForm(forms.Form):
    """What was lost, and when; the fields that a kind does not need stay empty."""

    environment = forms.ChoiceField()
    lost = forms.ChoiceField(choices=list(KINDS.items()), label="What was lost")
    table = forms.CharField(required=False, max_length=130, widget=_example("public.users"))
    column = forms.CharField(required=False, max_length=63, widget=_example("company"))
    key = forms.CharField(required=False, max_length=36, label="Experiment", widget=_example("its UUID"))
    at = forms.DateTimeField(
        label="When (UTC)",
        input_formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **options})
        rows = Environment.objects.filter(kind__in=["production", "staging"]).select_related("supabase_project")
        self.environments = {row.slug: row for row in rows}
        self.fields["environment"] = forms.ChoiceField(
            choices=[(slug, row.name) for slug, row in self.environments.items()]
        )

    def clean(self) -> dict[str, Any]:
        """Adds `what`, a Lost; or the reason why the words name none."""
        values = super().clean() or {}
        at = values.get("at")
        if at is not None and at.replace(tzinfo=UTC) > timezone.now() + timedelta(minutes=1):
            raise forms.ValidationError("That moment lies in the future. Times are UTC. Nothing was started.")
        try:
            values["what"] = of_form(*(str(values.get(name, "")) for name in ("lost", "table", "column", "key")))
            if where := self.environments.get(values.get("environment", "")):
                refuse_unknown(where, values["what"])
        except Refused as refusal:
            raise forms.ValidationError(refusal.reason) from None
        return values


@dataclass(frozen=True)
class Row:
    """An option and the button that leads to the confirmation page which starts it."""

    option: Option
    way: Verb | None


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """GET asks and shows; POST writes the migration of a restore that lies beside."""
    needed = ["backups.view_run", *([WRITES] if request.method == "POST" else [])]
    if not all(holds_somewhere(request.user, permission) for permission in needed):
        raise PermissionDenied
    asked = request.POST if request.method == "POST" else request.GET
    form = LostForm(asked if "lost" in asked else None, initial=_initial(asked))
    valid = form.is_bound and form.is_valid()
    if request.method == "POST" and valid:
        return _write(request, form)
    context = {
        "title": "Recover",
        "form": form,
        "may_write": holds_somewhere(request.user, WRITES),
        **(_found(request, form) if valid else {}),
    }
    status = INCOMPLETE if request.method == "POST" else 200
    return render_page(request, "admin/recover.html", context, status=status)


def _initial(asked: Any) -> dict[str, Any]:
    return {"environment": asked.get("environment") or None, "at": timezone.now().astimezone(UTC)}


def _found(request: HttpRequest, form: LostForm) -> dict[str, Any]:
    environment, lost, at = _asked(form)
    done = list(restored(environment, lost, at)[:20])
    rows = [Row(option, _way(request, environment, lost, at, option)) for option in ways(environment, lost, at, done)]
    return {
        "environment": environment,
        "lost": lost,
        "at": at,
        "rows": rows,
        "restored": done,
        "drift": DriftIncident.objects.filter(environment=environment, status="open").exists(),
        "command": f"sampelit-ops recover_options --environment {environment} --lost {lost.words} "
        f"--at {at:%Y-%m-%dT%H:%M:%SZ}",
    }


def _asked(form: LostForm) -> tuple[Environment, Lost, datetime]:
    values = form.cleaned_data
    at: datetime = values["at"]
    return form.environments[values["environment"]], values["what"], at.replace(tzinfo=UTC)


def _way(request: HttpRequest, environment: Environment, lost: Lost, at: datetime, option: Option) -> Verb | None:
    """None where there is nothing to start."""
    if not option.kind:
        return None
    given = {**option.parameters, "reason": f"Recover the {lost}, lost at {at:%Y-%m-%d %H:%M:%S} UTC."}
    style = "" if option.layer == "ours" else "danger"
    way = asking(request.user, option.kind, environment, "Recover", style, **given)
    return replace(way, says=f"Recover from {option.name}")


def _write(request: HttpRequest, form: LostForm) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 (admin_view lets only people in)
    environment, lost, _ = _asked(form)
    operation = get_object_or_404(Operation, pk=request.POST.get("operation", ""), environment=environment)
    back = f"{reverse('admin:recover')}?{urlencode({name: request.POST.get(name, '') for name in form.fields})}"
    try:
        file = write(operation, lost, request.user.get_username())
    except (Refused, ProviderError) as refusal:
        messages.error(request, str(refusal))
        return redirect(back)
    messages.success(request, f"{file.name} is registered. Read it, then request that it is applied.")
    query = urlencode({"environment": environment.slug})
    return redirect(f"{reverse('admin:migrations_registry_migrationfile_change', args=[file.pk])}?{query}")
