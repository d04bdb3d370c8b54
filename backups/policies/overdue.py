"""A proof that did not happen is red by itself: a stored run has its policy's grace time to be proven.

In: the clock. Out: an alarm a policy, repeated daily, until a later run is proven (slots tell of scheduled ones).
"""

from __future__ import annotations

from backups.models import Policy, Run
from operations.navigation import page_of
from operations.notify import alarm
from operations.periodic.isolation import one_by_one


def overdue() -> list[Run]:
    """The newest run of each policy, where it is stored and nobody has proven it in time."""
    runs = [_newest(policy) for policy in Policy.objects.filter(enabled=True)]
    return [run for run in runs if run is not None and run.proof_overdue]


def _newest(policy: Policy) -> Run | None:
    rows = Run.objects.filter(policy=policy, operation__seeded=False).exclude(stored_at=None)
    return rows.select_related("policy__environment", "operation").order_by("-started_at").first()


def keep() -> None:
    """The periodic job."""
    late = {run.policy_id: run for run in overdue() if not hasattr(run.operation, "backup_slot")}

    def tell(policy: Policy) -> None:
        run = late.get(policy.pk)
        alarm(f"proof of {policy.key}", run is not None, daily=True, about=policy.environment, **_words(policy, run))

    one_by_one(Policy.objects.filter(enabled=True).select_related("environment"), tell)


def _words(policy: Policy, run: Run | None) -> dict[str, str]:
    subject = f"The newest backup of {policy} is not proven"
    if run is None:
        return {"subject": subject}
    why = run.reason or f"No worker has proven it within {policy.grace_minutes} minutes. Is the prove worker up?"
    return {
        "subject": subject,
        "body": f"{run} is stored, but nobody knows whether it can be restored. {why}",
        "path": page_of(run),
    }
