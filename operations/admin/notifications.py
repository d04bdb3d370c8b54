"""The outbox in the admin: what was sent, to whom, and why something was not."""

from __future__ import annotations

from django.contrib import admin

from operations.admin.base import ReadOnlyAdmin
from operations.admin.columns import moment, shown
from operations.models import Notification
from operations.web import formatting


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ["subject", "channel", "state_badge", "created", "sent", "attempts"]
    list_filter = ["channel", ("sent_at", admin.EmptyFieldListFilter)]
    dated = "created_at"
    search_fields = ["subject"]
    empty_title = "Nobody was told anything yet"
    empty_text = (
        "Approvals wanted, break-glass, failures and alarms go out by mail, Slack or webhook and are listed here."
    )
    empty_command = "sampelit-ops doctor --only notify"
    state_badge = shown("State", "state", formatting.badge)
    created = moment("Created", "created_at")
    sent = moment("Sent", "sent_at")
