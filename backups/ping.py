"""The outside dead-man ping of a policy (healthchecks.io-compatible): /start, success after *proof*, /fail."""

from __future__ import annotations

import logging
import os

from backups.models import Policy
from providers import notify
from providers.errors import ProviderError, Refused

logger = logging.getLogger("backups.ping")


def send(policy: Policy, suffix: str) -> None:
    """Call the policy's URL; a failing ping is logged, because the silence outside speaks for itself."""
    url = os.environ.get(policy.ping_url_env, "") if policy.ping_url_env else ""
    if not url:
        return
    try:
        notify.ping(url.rstrip("/") + suffix)
    except (ProviderError, Refused) as error:
        logger.warning("the ping of %s failed: %s", policy, error)
