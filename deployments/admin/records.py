"""The admin's lists of what this app records beside deployments: probes, webhook deliveries, variables."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deployments.models import ConfigFingerprint, HealthCheck, WebhookDelivery
from operations.admin.base import ReadOnlyAdmin
from operations.admin.columns import moment
from operations.web import formatting


@admin.register(HealthCheck)
class HealthCheckAdmin(ReadOnlyAdmin):
    list_display = ["checked", "service", "verdict", "status_code", "body_status", "latency_ms", "version", "detail"]
    list_filter = ["service", "healthy", "service__environment"]
    dated = "checked_at"
    list_select_related = ["service"]
    list_title = "Health probes"
    empty_title = "No probes yet"
    empty_text = "Every service with a health address is asked twice a minute, by status and body."
    checked = moment("When", "checked_at")

    @admin.display(description="Verdict", ordering="healthy")
    def verdict(self, row: HealthCheck) -> SafeString:
        word = row.get_verdict_display() if row.verdict in ("unclear", "blind", "stale") else ""
        return formatting.badge(word or ("healthy" if row.healthy else "unhealthy"))


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ["received", "event_type", "service_render_id", "state", "attempts", "error"]
    list_filter = ["status", "event_type"]
    dated = "received_at"
    search_fields = ["delivery_id__exact", "event_id__exact"]
    list_title = "Webhook deliveries"
    empty_title = "No deliveries yet"
    empty_text = "Render's webhooks need a Professional workspace. Polling works without them."
    received = moment("Received", "received_at")

    @admin.display(description="Status", ordering="status")
    def state(self, row: WebhookDelivery) -> SafeString:
        return formatting.badge(row.status, {"processed": "ok", "received": "run", "failed": "bad"}.get(row.status))


@admin.register(ConfigFingerprint)
class ConfigFingerprintAdmin(ReadOnlyAdmin):
    list_display = ["key", "service", "environment", "print", "changed"]
    list_filter = ["service__environment", "service"]
    dated = "changed_at"
    list_select_related = ["service__environment"]
    search_fields = ["key"]
    list_title = "Variables"
    empty_title = "No variables read yet"
    empty_text = (
        "Only names and keyed fingerprints are kept, never a value. Open an environment's parity page to read them."
    )
    changed = moment("Changed", "changed_at")

    @admin.display(description="Environment")
    def environment(self, row: ConfigFingerprint) -> str:
        return row.service.environment.name if row.service.environment else "–"

    @admin.display(description="Fingerprint")
    def print(self, row: ConfigFingerprint) -> SafeString:
        return format_html('<span class="mono">{}</span>', row.fingerprint[:12])
