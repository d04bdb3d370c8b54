"""The terminal write: status, secrets erased, open steps closed, ledger, and whoever waited for the exclusive key."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from operations.engine.claim import Lease, lock, write
from operations.engine.request import record_about
from operations.engine.wake import wake_waiting
from operations.models import Outcome, Step, StepStatus
from providers.redact import redact


def end(lease: Lease, status: str, error: str) -> None:
    """End the operation under its lease; raise LeaseLost when it is no longer ours."""
    error = redact(error)
    with transaction.atomic():
        operation = lock(lease)
        steps = Step.objects.filter(operation=operation)
        steps.filter(status=StepStatus.PENDING).update(status=StepStatus.SKIPPED)
        steps.filter(status=StepStatus.RUNNING).update(
            status=StepStatus.FAILED, ended_at=timezone.now(), error="Its process ended before it did."
        )
        write(
            lease,
            status=status,
            outcome=status if status in Outcome.values else "",
            error=error,
            sealed="",
            ended_at=timezone.now(),
            lease_until=None,
            lease_owner="",
        )
        wake_waiting(operation.exclusive_key)
        data: dict[str, Any] = {"error": error} if error else {}
        record_about(operation, f"operations.{status}", actor="system", attempt=operation.attempt, **data)
