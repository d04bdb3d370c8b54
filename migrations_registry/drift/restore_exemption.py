"""A restore at Supabase brings an earlier schema back on purpose: what was expected at its target is so again.

In: an environment, what is expected now, what is seen. Out: the reason to trust what is seen; empty without one.
"""

from __future__ import annotations

from datetime import datetime

from backups.models.provider_backup import KINDS
from migrations_registry.fingerprint import Fingerprint, compare
from migrations_registry.models import SchemaFingerprint
from operations.models import Environment, Operation


def because(environment: Environment, expected: SchemaFingerprint, seen: Fingerprint) -> str:
    """Only exactly the schema that was trusted at the newest restore's target is explained by it; nothing else."""
    done = Operation.objects.filter(kind__in=KINDS, environment=environment, result__has_key="restored_at")
    last = done.order_by("-ended_at").first()
    if last is None or expected.trusted_at is None:
        return ""
    target, ended = (datetime.fromisoformat(str(last.result[name])) for name in ("restored_to", "restored_at"))
    if ended <= expected.trusted_at:
        return ""
    rows = SchemaFingerprint.objects.filter(environment=environment, trusted_at__lte=target)
    earlier = rows.order_by("-trusted_at", "-pk").first()
    if earlier is None or compare(earlier.fingerprint(), seen):
        return ""
    return f"restored at Supabase to {target:%Y-%m-%d %H:%M:%S} UTC by {last.pk}"
