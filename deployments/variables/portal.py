"""Which services run this portal: those that hold a secret of its own, whatever they are called.

In: the fingerprints of variables as read from Render, a service's own and its groups'. Out: `Service.is_self`, which
refuses every verb; a mark is never taken away here, for a variable that is hidden today may be back tomorrow.
"""

from __future__ import annotations

import os

from django.db import transaction
from django.db.models import Q

from deployments.models import Service, VariableGroup
from deployments.variables.fingerprints import fingerprint
from ledger.services import record
from operations.accounts import RENDER

# Secrets that nobody but the portal has; what it shares with the product (DSNs) says nothing.
OWN = (
    *("SECRET_KEY", "FACTOR_KEY", "DATABASE_URL", "OPS_SEAL_IDENTITY", "OPS_METRICS_TOKEN", "RENDER_API_KEY"),
    *("BACKUP_AGE_IDENTITY", "BACKUP_SIGNING_KEY", "BACKUP_REAPER_AWS_SECRET_ACCESS_KEY"),
)


def mark() -> int:
    """Mark the services that hold one of this process's own secrets; how many are new. Each is a ledger entry."""
    own = _own()
    groups = VariableGroup.objects.filter(removed_at=None, variables__fingerprint__in=own)
    holders = Service.objects.filter(Q(variables__fingerprint__in=own) | Q(groups__in=groups), is_self=False)
    return sum(map(_mark, holders.select_related("environment").distinct()))


def held_by(group: VariableGroup) -> list[str]:
    """Which of the portal's own secrets a group holds, by the names that they have there."""
    return sorted(group.variables.filter(fingerprint__in=_own()).values_list("key", flat=True))


def _own() -> set[str]:
    return {fingerprint(value) for name in OWN if (value := os.environ.get(name))}


@transaction.atomic
def _mark(service: Service) -> bool:
    if not Service.objects.filter(pk=service.pk, is_self=False).update(is_self=True):
        return False
    where, data = service.environment_slug, {"service": service.name, "render_id": service.render_id}
    record("deployments.runs_portal", actor=RENDER, environment=where, subject=service.name, data=data)
    return True
