"""What people were shown of a file on an environment, kept under the digest that their votes bind. In: a review."""

from __future__ import annotations

import hashlib
from dataclasses import asdict

from migrations_registry.models import Plan
from migrations_registry.services.planning import Review
from operations.periodic.clock import database_time


def keep_plan(review: Review) -> Plan:
    """Store the plan beside its digest; the same content is kept once, with the newest estimates."""
    row, _ = Plan.objects.update_or_create(
        file=review.file,
        environment=review.environment,
        content_sha256=hashlib.sha256(review.content).hexdigest(),
        defaults={
            "policy": review.policy,
            "risk": review.plan.risk,
            "ruleset": review.plan.ruleset,
            "steps": [{**asdict(step), "title": step.title} for step in review.plan.steps],
            "losses": [asdict(loss) for loss in review.plan.losses],
            "refusals": list(review.plan.refusals),
            "row_counts": [asdict(count) for count in review.row_counts],
            "maintenance": review.plan.maintenance,
            "restore_point": review.plan.restore_point,
            "facts_at": database_time() if review.facts else None,
            "made_at": database_time(),
        },
    )
    return row
