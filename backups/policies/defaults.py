"""The policies every environment starts with, and what a person may say about one. In: an environment. Out: rows."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from backups.models import Policy
from backups.policy_spec import AUDIT_TABLES
from ledger.services import record
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.models import Environment
from operations.periodic.clock import database_time

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


@transaction.atomic
def accept_database(policy: Policy, by: User) -> None:
    """A planned move: what earlier runs say about the database's identity no longer counts for this policy."""
    spend(by.username, Binding("backups.accept_database", str(policy), digest_of(policy.pk)))
    Policy.objects.filter(pk=policy.pk).update(identity_accepted_at=database_time())
    record(
        "backups.policy.database_accepted", actor=by.username, environment=policy.environment.slug, subject=policy.name
    )
