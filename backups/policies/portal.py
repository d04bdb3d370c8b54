"""The portal's own database, exported and proven like any other: its environment, its policy, what it must not do.

In: nothing; called every hour. Out: an environment of kind `portal` whose export DSN is DATABASE_URL, and a policy.
People's password hashes, second factors, token hashes and sealed parameters are in it: never without encryption.
"""

from __future__ import annotations

from datetime import timedelta

from backups.archive import keys
from backups.models import Policy
from operations.accounts import system_user
from operations.databases import is_portal
from operations.engine.request import request
from operations.models import Environment, Operation
from operations.periodic.clock import database_time
from providers.errors import Refused

NAME = "portal"
FIRST_AFTER = timedelta(minutes=30)


def ensure() -> Policy:
    """Create what is missing; what a person changed since stays."""
    environment = Environment.objects.portal()
    policy, _ = Policy.objects.get_or_create(
        environment=environment,
        name=NAME,
        defaults={
            "description": "Everything the portal knows, so that `sampelit-ops recover` can bring it back.",
            "tables": ["public.*"],
            "closure": False,
            "format": Policy.Format.BINARY,
            "built_in": True,
            "cron": "20 */6 * * *",
        },
    )
    return policy


def keep() -> None:
    """The hourly duty. A new portal's first copy is asked for when it is half an hour old, not at the next slot."""
    policy = ensure()
    waiting = policy.enabled and not policy.runs.exists() and database_time() - policy.created_at > FIRST_AFTER
    if waiting and keys.recipients() and not Operation.objects.filter(environment=policy.environment).exists():
        request(
            "backups.export",
            by=system_user("backups.request_export"),
            environment=policy.environment,
            parameters={"policy": policy.name},
            reason="the first copy of the portal",
            channel="schedule",
        )


def refuse_in_clear(environment: Environment) -> None:
    """Raises Refused for an export of the portal that everybody with the store could read."""
    if is_portal(environment) and not keys.recipients():
        raise Refused(
            "The portal's database holds password hashes and second factors, and BACKUP_AGE_RECIPIENTS is empty. "
            "Nothing was copied. Make keys with `sampelit-ops keys create age` and set it."
        )
