"""The badge of a deployment, the same in lists and on pages."""

from __future__ import annotations

from django.utils.safestring import SafeString

from deployments.models import Deployment
from operations.web import formatting


def status_badge(row: Deployment) -> SafeString:
    """Superseded is calm, not failed; a rollback that is live says so."""
    if row.trigger == "rollback" and row.was_live:
        return formatting.badge(
            "Rolled back to" if row.status == "live" else "Superseded", "run" if row.status == "live" else "idle"
        )
    tone = "bad" if row.failed else formatting.tone_of(row.status)
    return formatting.badge(row.word, tone)
