"""Whether a file could be undone on an environment, for those who decide about it. In: a review. Out: a Forecast."""

from __future__ import annotations

from migrations_registry.analysis.model import DESTRUCTIVE, OPAQUE
from migrations_registry.drift import detect as drift_detect
from migrations_registry.effects import declared
from migrations_registry.models import Rehearsal
from migrations_registry.services.planning import Review
from migrations_registry.services.rehearsals import newest_rehearsal
from migrations_registry.undo.forecast import Forecast, forecast


def undo_forecast(review: Review) -> Forecast | None:
    """By what the text declares; a rehearsal that went through has followed what nobody else could."""
    trusted = drift_detect.trusted(review.environment)
    opaque = [finding for finding in review.analysis.findings if finding.severity == OPAQUE]
    row = newest_rehearsal(review.file, review.environment) if opaque else None
    is_followed = row is not None and row.status == Rehearsal.Status.PASSED
    grave = (DESTRUCTIVE, OPAQUE)
    alone = any(
        not statement.transactional and any(finding.severity in grave for finding in statement.findings)
        for statement in review.analysis.statements
        if not statement.is_frame
    )
    return forecast(
        declared(review.file.data, voted=review.plan.risk).allowances,
        trusted.fingerprint() if trusted else None,
        alone=alone,
        unfollowed="nobody can follow what it does, and it was not rehearsed" if opaque and not is_followed else "",
    )
