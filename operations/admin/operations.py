"""The admin's lists and pages of operations and environments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from operations.admin.base import ReadOnlyAdmin
from operations.admin.columns import moment, shown
from operations.approvals.voting import why_not_vote
from operations.authority import VOTE, holds
from operations.engine import kinds
from operations.engine.cancel import cancel
from operations.engine.deciding import places_of
from operations.models import Approval, Environment, Operation, Status
from operations.votes.judge import Evidence, evidence_of, judge, needed, why_not_yet
from operations.web import act_page, catalogue, formatting, notes_page, operation_page, request_page
from operations.web.pages import render_page
from providers.errors import Refused

looks = permission_required("operations.view_operation", raise_exception=True)


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    list_display = ["what", "state", "environment", "risk_badge", "requested_by", "asked", "took"]
    list_display_links = ["what"]
    list_filter = ["status", "risk", "environment", "kind"]
    dated, by = "requested_at", "requested_by__username"
    list_select_related = ["environment", "requested_by"]
    search_fields = ["id__startswith", "kind", "subject"]
    actions = ["cancel_selected"]
    empty_title = "No operations yet"
    empty_text = "Everything consequential is an operation: exports, deploys, rollbacks, migrations."
    empty_command = "sampelit-ops request backups.export --environment production --set policy=audit-trail"
    state = shown("Status", "status", formatting.badge)
    risk_badge = shown("Risk", "risk", formatting.badge)
    asked = moment("Requested", "requested_at")
    page = staticmethod(operation_page.page)

    def get_urls(self) -> list[URLPattern]:
        def view(page: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
            return self.admin_site.admin_view(looks(page))

        return [
            path("request/<str:name>/", view(request_page.request_page), name="operations_request"),
            path("request/", view(self.catalogue), name="operations_catalogue"),
            path("approvals/", view(self.approvals), name="approvals"),
            path("notes/<slug:about>/", view(notes_page.page), name="operations_notes"),
            path("<str:pk>/live/", view(operation_page.fragment), name="operations_live"),
            path("<str:pk>/log/", view(operation_page.log_file), name="operations_log"),
            path("<str:pk>/act/<str:verb>/", view(act_page.act_page), name="operations_act"),
            *super().get_urls(),
        ]

    def catalogue(self, request: HttpRequest) -> HttpResponse:
        """Every kind that can be requested, by what it is about; those that this person may ask for first."""
        context = {
            "title": "Request an operation",
            "groups": catalogue.groups(request.user),
        }
        return render_page(request, "admin/operations/catalogue.html", context)

    def approvals(self, request: HttpRequest) -> HttpResponse:
        """What waits for a vote: mine first, then what others must decide, with the reason."""
        assert isinstance(request.user, User)  # noqa: S101
        rows = Operation.objects.filter(status=Status.AWAITING_APPROVAL)
        rows = rows.select_related("environment", "requested_by").prefetch_related("approvals__approved_by")[:100]
        evidence = evidence_of(list(rows), request.user)
        waiting = [_waiting(row, self.what(row), request.user, evidence) for row in rows]
        context = {
            "title": "Approvals",
            "mine": [row for row in waiting if not row.why_not],
            "others": [row for row in waiting if row.why_not],
        }
        return render_page(request, "admin/operations/approvals.html", context)

    @admin.action(description="Cancel", permissions=["view"])
    def cancel_selected(self, request: HttpRequest, rows: QuerySet[Operation]) -> None:
        assert isinstance(request.user, User)  # noqa: S101
        for row in rows.select_related("environment"):
            try:
                cancel(row, by=request.user)
                messages.success(request, f"{row}: cancelling.")
            except (Refused, PermissionDenied) as refusal:
                messages.error(request, str(refusal))

    @admin.display(description="Operation")
    def what(self, row: Operation) -> str:
        kind = kinds.registry.kinds.get(row.kind)
        return f"{kind.label if kind else row.kind}{': ' + row.subject if row.subject else ''}"

    @admin.display(description="Took")
    def took(self, row: Operation) -> str:
        return formatting.duration(row.seconds) if row.ended_at else "–"


@dataclass(frozen=True)
class Waiting:
    """One request on the page of approvals: the votes that count, and why this person cannot vote on it."""

    row: Operation
    label: str
    votes: int
    needed: int
    why_not: str


def _waiting(row: Operation, label: str, user: User, evidence: Evidence) -> Waiting:
    places = places_of(row)
    counting = [one.vote for one in judge(row, places, evidence) if not one.why_not]
    name = user.get_username()
    why_not = _why_not(row, user, places, counting) or why_not_yet(name, places, evidence.histories[name])
    return Waiting(row, label, len(counting), needed(row, places), why_not)


def _why_not(row: Operation, user: User, places: list[Environment], counting: list[Approval]) -> str:
    if row.requested_by_id == user.pk:
        return "You requested it; somebody else must approve it."
    if not all(holds(user, VOTE, place) for place in places):
        return why_not_vote(row, user)
    return "You have voted; others must follow." if any(vote.approved_by_id == user.pk for vote in counting) else ""
