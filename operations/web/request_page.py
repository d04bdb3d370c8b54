"""The one confirmation page: GET shows what will happen, POST asks for exactly that; both check the permission."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from operations.engine import kinds, specs
from operations.engine.deciding import deciding
from operations.engine.request import check_permission, prepare, refusals_recorded
from operations.engine.request import request as request_operation
from operations.models import Environment, Operation
from operations.navigation import page_of_request
from operations.web.form_key import use_up
from operations.web.page_environment import page_environment
from operations.web.pages import status_of_form
from operations.web.request_form import RequestForm
from providers.errors import ProviderError, Refused

LONGEST_REASON = 500
NO_PREVIEW: dict[str, Any] = {"not_yet": "", "risk": "", "consequences": [], "steps": []}


def request_page(request: HttpRequest, name: str) -> HttpResponse:
    """`/admin/operations/operation/request/<kind>/?environment=…&<parameter>=…`."""
    kind = kinds.registry.kinds.get(name)
    if kind is None:
        raise Http404(f"There is no operation {name}.")
    places = Places.of(request, kind)
    environment = places.chosen
    if environment is None:
        messages.warning(request, "There is no environment yet. Add one first; nothing was requested.")
        return redirect("admin:operations_environment_changelist")
    data = request.POST if request.method == "POST" else None
    secrets = data is not None or _all_given(request, kind)
    initial = {**request.GET.dict(), "environment": environment.slug}
    form = RequestForm(kind, environment, data, places=places.offered, initial=initial, secrets=secrets)
    refusal = None
    if request.method == "POST" and form.is_valid():
        answer = _ask(request, kind, form, places)
        if isinstance(answer, Operation):
            return redirect("admin:operations_operation_change", answer.pk)
        if answer is None:
            return _show_first(request, kind, places)
        refusal = answer
    status = status_of_form(form, refusal)
    context = _context(request, kind, environment, form, may=not isinstance(refusal, PermissionDenied))
    return TemplateResponse(request, "admin/operations/request.html", context, status=status)


@dataclass(frozen=True)
class Places:
    """`offered`: the environments for which this person may ask, and the one that was chosen; `first`: which one that
    is where the address names none. Raises Http404 for one that there is not."""

    offered: list[Environment]
    chosen: Environment | None
    first: str

    @classmethod
    def of(cls, request: HttpRequest, kind: kinds.OperationKind) -> Places:
        every = list(Environment.objects.all())
        mine = [place for place in every if not kind.why_not(request.user, place, "no")]
        slug = request.POST.get("environment") or request.GET.get("environment") or _slug(mine)
        found = page_environment(every, slug)
        return cls([place for place in every if place in mine or place == found], found, _slug(mine or every))


def _slug(places: list[Environment]) -> str:
    return places[0].slug if places else ""


def _ask(
    request: HttpRequest, kind: kinds.OperationKind, form: RequestForm, places: Places
) -> Operation | Refused | PermissionDenied | ProviderError | None:
    """The operation that was requested, or why there is none; None: nobody saw yet what these values do."""
    environment, parameters = form.cleaned_data["environment"], form.parameters(kind)
    user = request.user
    assert isinstance(user, User)  # noqa: S101 (admin_view lets only people in)
    try:
        with refusals_recorded(kind.name, user, environment):
            check_permission(kind, user, environment)
            if _given(request.POST, kind, places.first) != _given(request.GET, kind, places.first):
                _cleaned(kind, environment, parameters)
                return None
            cleaned = prepare(kind, environment, parameters)
            wanted = kind.confirm_text(environment, cleaned)
            if kind.assess(environment, cleaned) == "destructive" and request.POST.get("typed", "") != wanted:
                raise Refused(f"Type {wanted} exactly. Nothing was requested.")
        return request_operation(
            kind.name, by=user, environment=environment, parameters=parameters, reason=form.cleaned_data["reason"]
        )
    except (Refused, PermissionDenied, ProviderError) as refusal:
        form.add_error(None, str(refusal))
        return refusal


def _given(values: QueryDict, kind: kinds.OperationKind, first: str) -> dict[str, str]:
    """The environment, or the first, and the parameters that a page shows; secrets are never shown."""
    names = [parameter.name for parameter in kind.parameters if not parameter.secret]
    return {name: values.get(name, "").strip() for name in names} | {"environment": values.get("environment") or first}


def _all_given(request: HttpRequest, kind: kinds.OperationKind) -> bool:
    """Whether the address names everything but the secrets, so that the page can say what will happen."""
    required = [parameter.name for parameter in kind.parameters if parameter.required and not parameter.secret]
    return all(request.GET.get(name) for name in required)


def _show_first(request: HttpRequest, kind: kinds.OperationKind, places: Places) -> HttpResponse:
    """To the page of exactly these values, with what they do; a secret is typed there."""
    use_up(request, used=False)
    messages.info(request, "Nothing was requested yet: read what will happen, then confirm.")
    values = {**_given(request.POST, kind, places.first), "reason": request.POST.get("reason", "")[:LONGEST_REASON]}
    return redirect(page_of_request(kind.name, **{name: value for name, value in values.items() if value}))


def _context(
    request: HttpRequest, kind: kinds.OperationKind, environment: Environment, form: RequestForm, may: bool
) -> dict[str, Any]:
    shown = _preview(kind, environment, request, form) if may else NO_PREVIEW
    return {
        **admin.site.each_context(request),
        "title": kind.label,
        "kind": kind,
        "environment": environment,
        "form": form,
        "why_not": kind.why_not(request.user, environment, "Your role may look at this but not request it."),
        "command": _command(kind, environment, form),
        **shown,
    }


def _preview(
    kind: kinds.OperationKind, environment: Environment, request: HttpRequest, form: RequestForm
) -> dict[str, Any]:
    """Risk, votes and consequences of what is in the form right now, or the reason why there are none yet."""
    given = {name: value for name in _shown_names(kind, form) if (value := form[name].value())}
    if not form.is_bound and not _all_given(request, kind):
        return NO_PREVIEW
    try:
        cleaned = _cleaned(kind, environment, given)
        risk = kind.assess(environment, cleaned)
        steps = kind.resolved_steps(cleaned)
        consequences = kinds.all_consequences(kind, environment, cleaned)
    except (Refused, ProviderError) as refusal:
        needed = [one.name for one in kind.parameters if one.required and not one.secret]
        told = all(given.get(name) for name in needed) and (any(given.values()) or not kind.asks_something)
        return {**NO_PREVIEW, "not_yet": str(refusal) if told else ""}
    return {
        "risk": risk,
        "votes": deciding(kind, environment, cleaned, risk).votes(risk),
        "consequences": consequences,
        "steps": steps,
        "confirm_text": kind.confirm_text(environment, cleaned) if risk == "destructive" else "",
    }


def _shown_names(kind: kinds.OperationKind, form: RequestForm) -> list[str]:
    return [parameter.name for parameter in kind.parameters if parameter.name in form.fields]


def _cleaned(kind: kinds.OperationKind, environment: Environment, given: specs.Parameters) -> specs.Parameters:
    """What was given so far; a secret that is still to be typed does not hide what will happen. Raises Refused."""
    try:
        return prepare(kind, environment, given)
    except Refused:
        untyped = {
            parameter.name: "…" for parameter in kind.parameters if parameter.secret and parameter.name not in given
        }
        if not untyped:
            raise
        return prepare(kind, environment, given | untyped)


def _command(kind: kinds.OperationKind, environment: Environment, form: RequestForm) -> str:
    sets = []
    for parameter in kind.parameters:
        value = form[parameter.name].value() if parameter.name in form.fields else ""
        if value or parameter.required:
            shown = "…" if parameter.secret or not value else value
            sets.append(f"--set {shlex.quote(f'{parameter.name}={shown}')}")
    return " ".join(["sampelit-ops request", kind.name, "--environment", environment.slug, *sets, "--reason …"])
