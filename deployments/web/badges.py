"""The badge of a deployment, the same in lists and on pages."""

from __future__ import annotations

from django.utils.safestring import SafeString

from deployments.models import Deployment
from operations.web import html


def status_badge(row: Deployment) -> SafeString:
    """Superseded is calm, not failed; a rollback that is live says so."""
    if row.trigger == "rollback" and row.was_live:
        return html.badge(
            "Rolled back to" if row.status == "live" else "Superseded", "run" if row.status == "live" else "idle"
        )
    tone = "bad" if row.failed else html.tone_of(row.status)
    return html.badge(row.word, tone)
