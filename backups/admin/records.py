"""The admin's read-only lists beside runs and policies: slots, restores, proofs."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString

from backups.admin.policies import PolicyFilter
from backups.models import Proof, Restore, Slot
from backups.policies.scheduler import acknowledge
from backups.restore.targets import where
from backups.web import restore_page
from operations.admin.base import ReadOnlyAdmin
from operations.admin.columns import moment, shown
from operations.web import formatting
from operations.web.pages import render_page


@admin.register(Slot)
class SlotAdmin(ReadOnlyAdmin):
    list_display = ["slot_at", "policy", "state", "reason", "acknowledged_by"]
    list_filter = ["status", PolicyFilter, "policy__environment"]
    dated, by = "at", "acknowledged_by"
    list_select_related = ["policy__environment"]
    actions = ["acknowledge"]
    empty_title = "No slots yet"
    empty_text = "Every moment at which a policy's schedule says that it runs is listed here, kept or missed."
    state = shown("Status", "status", formatting.badge)

    @admin.action(description="Acknowledge", permissions=["view"])
    def acknowledge(self, request: HttpRequest, rows: QuerySet[Slot]) -> None:
        """Stop the daily reminders of red slots, by name, in the ledger."""
        assert isinstance(request.user, User)  # noqa: S101 - the admin lets only signed-in people through
        acknowledge(rows, request.user)
        self.message_user(request, "Acknowledged; the reminders stop.")

    @admin.display(description="Slot", ordering="at")
    def slot_at(self, row: Slot) -> SafeString:
        return formatting.exactly(row.at)


@admin.register(Restore)
class RestoreAdmin(ReadOnlyAdmin):
    list_display = ["started", "policy", "going", "state", "rows_shown", "took"]
    list_filter = ["status", "run__policy__environment"]
    dated, by = "started_at", "operation__requested_by__username"
    list_select_related = ["run__policy__environment", "operation"]
    empty_title = "No restores yet"
    empty_text = "A restore brings a run's rows into a database. Every run is restored once for its proof already."
    started = moment("Started", "started_at")
    state = shown("Status", "status", formatting.badge)
    policy = shown("Run of", "run.policy", str)
    rows_shown = shown("Rows", "rows", formatting.number, "rows")

    def page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        context = {**restore_page.context(request, object_id)}
        return render_page(request, "admin/backups/restore/page.html", context)

    @admin.display(description="Target", ordering="target")
    def going(self, row: Restore) -> str:
        return where(row.target)

    @admin.display(description="Took")
    def took(self, row: Restore) -> str:
        """From the first check to the end; a comparison loads nothing."""
        return formatting.duration(row.operation.seconds)


@admin.register(Proof)
class ProofAdmin(ReadOnlyAdmin):
    list_display = ["made", "policy", "state", "took"]
    list_filter = ["status", "run__policy__environment"]
    dated, by = "created_at", "operation__requested_by__username"
    list_select_related = ["run__policy__environment"]
    empty_title = "No proofs yet"
    empty_text = "A proof is a restore drill: every object read back, restored and compared."
    policy = shown("Run of", "run.policy", str)
    took = shown("Restore took (RTO)", "seconds", formatting.duration, "seconds")
    made = moment("When", "created_at")
    state = shown("Result", "word", formatting.badge)

    def page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A proof is told on the page of its run."""
        row = Proof.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        if row is None:
            raise Http404
        return HttpResponseRedirect(reverse("admin:backups_run_change", args=[row.run_id]))
