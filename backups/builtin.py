"""The policies every environment starts with. In: an environment. Out: its policy rows, created once."""

from __future__ import annotations

from backups.models import Policy
from backups.policies import AUDIT_TABLES
from operations.models import Environment

AUDIT_TRAIL = "audit-trail"
WHOLE_DATABASE = "whole-database"


def ensure_policies(environment: Environment) -> None:
    """Create what is missing; what a person changed since stays."""
    Policy.objects.get_or_create(
        environment=environment,
        name=AUDIT_TRAIL,
        defaults={
            "description": "The audit trail and every table that a restore of it needs.",
            "tables": list(AUDIT_TABLES),
            "closure": True,
            "built_in": True,
            "cron": "15 * * * *" if environment.protected else "",
        },
    )
    Policy.objects.get_or_create(
        environment=environment,
        name=WHOLE_DATABASE,
        defaults={
            "description": "Every table of every schema of ours, with the statements that rebuild the rest.",
            "tables": ["*", "auth.*"],
            "closure": False,
            "built_in": True,
            "cron": "30 3 * * *" if environment.protected else "",
        },
    )
