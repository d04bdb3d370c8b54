"""The review of one content on one environment: what each statement does, what is lost, who may decide."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from migrations_registry.backfill.statement import batched
from migrations_registry.history.status_cell import Column
from migrations_registry.history.status_matrix import columns
from migrations_registry.models import MigrationFile, Rehearsal, Waiver
from migrations_registry.models.applied import APPLY, asks_for
from migrations_registry.services import rehearsal_lines, rehearsals
from migrations_registry.services.annotated_lines import diff_of, lines_of, notes_of
from migrations_registry.services.declared_effects import declared_here
from migrations_registry.services.planning import Review, review
from migrations_registry.services.rehearsals import newest_rehearsal
from migrations_registry.services.waivers import approve, propose
from migrations_registry.web.standing import standing
from operations.approvals.voting import objection, why_not_vote
from operations.authority import VOTE, holders, holds_somewhere, why_not
from operations.engine import kinds
from operations.engine.deciding import deciding
from operations.models import Environment, Operation, Status
from operations.web.page_environment import page_environment
from providers.errors import Refused

KIND, REHEARSE = APPLY, "migrations.rehearse"


@permission_required("migrations_registry.view_migrationfile", raise_exception=True)
def page(request: HttpRequest, pk: str) -> HttpResponse:
    """GET shows; POST proposes or approves a waiver."""
    if not str(pk).isdigit():
        raise Http404
    file = get_object_or_404(MigrationFile.objects.select_related("previous").prefetch_related("waivers"), pk=pk)
    environment = _environment(request)
    if environment is None:
        messages.warning(
            request, "There is no environment yet. Add one first; nothing can be reviewed without a target."
        )
        return redirect("admin:operations_environment_changelist")
    if request.method == "POST":
        return _waive(request, file, environment)
    reviewed = review(file, environment)
    return TemplateResponse(request, "admin/migrations_registry/migrationfile/review.html", _context(request, reviewed))


def _environment(request: HttpRequest) -> Environment | None:
    return page_environment(_environments(request), request.GET.get("environment") or request.POST.get("environment"))


def _environments(request: HttpRequest) -> list[Environment]:
    return [column.environment for column in _columns(request)]


def _columns(request: HttpRequest) -> list[Column]:
    """All of them with what is known of their history, asked once a request."""
    if not hasattr(request, "columns"):
        request.columns = columns(previews=True)  # type: ignore[attr-defined]
    return request.columns  # type: ignore[attr-defined]


def _context(request: HttpRequest, reviewed: Review) -> dict[str, Any]:
    operation = _open_operation(reviewed)
    rehearsal = newest_rehearsal(reviewed.file, reviewed.environment)
    people = _voters(operation)
    here = [column for column in _columns(request) if column.environment.pk == reviewed.environment.pk]
    stands = standing(reviewed, next(iter(here), None))
    return {
        **admin.site.each_context(request),
        "title": reviewed.file.name,
        "file": reviewed.file,
        "environment": reviewed.environment,
        "environments": _environments(request),
        "review": reviewed,
        "declared": declared_here(reviewed),
        "rehearsal": rehearsal,
        "rehearsal_lines": rehearsal_lines.lines_of(rehearsal) if rehearsal else (),
        "may_waive_rehearsal": rehearsal and _may_waive(request, rehearsal),
        "lines": lines_of(reviewed.file.data.decode("utf-8", "replace"), reviewed.analysis),
        "notes": notes_of(reviewed.analysis),
        "diff": diff_of(reviewed.file),
        "waivers": reviewed.file.waivers.all(),
        "operation": operation,
        "approvals": [person for person in people if person["voted_at"]],
        "why_not_vote": why_not_vote(operation, _person(request)) or objection(operation) if operation else "",
        "voters": [person["username"] for person in people if not person["voted_at"]],
        "runs_in_batches": _runs_in_batches(reviewed.file.data),
        "stands": stands,
        "why_not_request": _why_not_request(request, reviewed) or stands.certain_to_fail,
        "may_waive": holds_somewhere(request.user, "migrations_registry.waive_finding"),
        "may_approve_waiver": request.user.has_perm("migrations_registry.approve_waiver"),
        "votes": _votes(reviewed),
        "command": f"sampelit-ops request {KIND} --environment {reviewed.environment} "
        f"--set file={reviewed.file.sha256} --reason …",
    }


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 (admin_view lets only people in)
    return request.user


def _open_operation(reviewed: Review) -> Operation | None:
    asked = Operation.objects.filter(asks_for(reviewed.file.sha256), environment=reviewed.environment)
    waiting = asked.filter(status=Status.AWAITING_APPROVAL)
    return waiting.select_related("requested_by", "environment").order_by("-requested_at").first()


def _voters(operation: Operation | None) -> list[dict[str, Any]]:
    """Who may vote and who has, in one question: username and, for a living vote, when."""
    if operation is None:
        return []
    votes = operation.approvals.filter(revoked_at=None, approved_by=OuterRef("pk")).values("approved_at")[:1]
    rest = holders(VOTE, operation.environment).exclude(pk=operation.requested_by_id)
    return [dict(person) for person in rest.annotate(voted_at=Subquery(votes)).values("username", "voted_at")[:24]]


def _votes(reviewed: Review) -> int:
    risk, asked = reviewed.plan.risk, {"file": reviewed.file.sha256}
    return deciding(kinds.get(KIND), reviewed.environment, asked, risk).votes(risk)


@lru_cache(maxsize=16)  # a page is read again and again
def _runs_in_batches(data: bytes) -> bool:
    try:
        batched(data)
    except Refused:
        return False
    return True


def _may_waive(request: HttpRequest, row: Rehearsal) -> bool:
    is_open = row.status == Rehearsal.Status.FAILED and not row.waived_by
    return is_open and not why_not(request.user, rehearsals.WAIVE, row.environment, "no")


def _why_not_request(request: HttpRequest, reviewed: Review) -> str:
    otherwise = "Your role may review migrations but not request them."
    if refusal := kinds.get(KIND).why_not(request.user, reviewed.environment, otherwise):
        return refusal
    if MigrationFile.objects.filter(path=reviewed.file.path, revision__gt=reviewed.file.revision).exists():
        return "There is a newer revision of this file: request that one."
    return f"It cannot be applied: {reviewed.plan.refusals[0]}." if reviewed.plan.refusals else ""


def _waive(request: HttpRequest, file: MigrationFile, environment: Environment) -> HttpResponse:
    try:
        if "waive_rehearsal" in request.POST:
            row = get_object_or_404(Rehearsal, pk=request.POST["waive_rehearsal"], file=file, environment=environment)
            rehearsals.waive(row, reason=request.POST.get("reason", ""), by=_person(request))
            messages.success(request, "Waived. People may vote for it although it failed on a copy.")
        elif "approve" in request.POST:
            approve(get_object_or_404(Waiver, pk=request.POST["approve"], file=file), by=_person(request))
            messages.success(
                request, "Waived. Approvals given before no longer count: the content they bound has changed."
            )
        else:
            rule, _, line = request.POST.get("finding", "").rpartition("@")
            if not line.isdigit():
                raise Refused("Choose a finding. Nothing was changed.")
            propose(file, rule, int(line), reason=request.POST.get("reason", ""), by=_person(request))
            messages.success(request, "Proposed. Somebody else must approve the waiver.")
    except Refused as refusal:
        messages.error(request, str(refusal))
    place = reverse("admin:migrations_registry_migrationfile_change", args=[file.pk])
    return redirect(f"{place}?{urlencode({'environment': environment.slug})}")
