"""Whether a worker of this portal began an operation: rows of steps that say so are no proof, as SQL writes them too.

In: an operation and its steps. Out: its mark, a code under the key that workers alone hold (OPS_SEAL_IDENTITY), or
whether it has one. Without one its votes are judged however far its rows say that it is.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.utils.crypto import constant_time_compare

from ledger.authenticity import mac
from operations.models import Operation, Step, StepStatus

OLDER = "older"  # it ran when marks came to be; a trigger lets none be called so afterwards


def mark_of(operation: Operation) -> str:
    """What the row of an operation holds that this worker begins; empty where it has no key of its own."""
    key = settings.OPS_SEAL_IDENTITY
    return mac("operations.begun", f"{operation.pk} {operation.content_sha256}", key) if key else ""


def has_begun(operation: Operation, steps: Iterable[Step]) -> bool:
    mark = mark_of(operation)
    if not mark:
        return any(step.status != StepStatus.PENDING for step in steps)
    return operation.begun == OLDER or constant_time_compare(operation.begun, mark)
