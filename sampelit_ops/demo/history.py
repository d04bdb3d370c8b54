"""Ninety days of a small team, told through the real services with `at=`; every row and entry says it is seeded.

A seeded run never counts as proven; what waits for a vote at the end is real and can be decided.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from operations.engine.request import request
from operations.models import Environment, Operation
from sampelit_ops.demo import seed_operations

DAYS = 90
FAILURES = {
    61: "The store refused the write (403 AccessDenied). Nothing was published; the next slot caught up.",
    23: "The product database closed the connection. Nothing was published; the next slot caught up.",
}


def seed_history() -> int:
    """Write the story once; how many operations it has."""
    if Operation.objects.filter(seeded=True).exists():
        return 0
    people = {user.username: user for user in User.objects.all()}
    production = Environment.objects.get(slug="production")
    staging = Environment.objects.get(slug="staging")
    chance, now = random.Random(7), timezone.now()  # noqa: S311 (a story, not a secret)
    for day in range(DAYS, 0, -1):
        at = (now - timedelta(days=day)).replace(hour=3, minute=15, second=0, microsecond=0)
        _nightly_export(people["operator"], production, at, day, chance)
        if day % 7 == 2:
            _weekly_rehearsal(people, staging if day % 2 else production, at + timedelta(hours=7), day)
        if day == 12:
            _night_of_the_broken_glass(people, production, at + timedelta(hours=20))
    _open_request(people["operator"], production)
    return Operation.objects.filter(seeded=True).count()


def _ask(by: User, kind: str, environment: Environment, at: datetime, reason: str, **parameters: str) -> Operation:
    return request(
        kind, by=by, environment=environment, parameters=parameters, reason=reason, channel="demo", at=at, seeded=True
    )


def _nightly_export(by: User, environment: Environment, at: datetime, day: int, chance: random.Random) -> None:
    operation = _ask(by, "backups.export", environment, at, "nightly", policy="audit-trail")
    error = FAILURES.get(day, "")
    seconds = 9 + (DAYS - day) * 0.06 + chance.random()
    seed_operations.end(operation, "failed" if error else "succeeded", at=at, seconds=seconds, error=error)


def _weekly_rehearsal(people: dict[str, User], environment: Environment, at: datetime, day: int) -> None:
    operation = _ask(
        people["operator"], "rehearsal.sensitive", environment, at, "weekly rehearsal", key=f"week-{day // 7}"
    )
    soon = at + timedelta(minutes=25)
    if operation.status == "awaiting_approval" and day == 44:
        seed_operations.vote(operation, people["approver2"], at=soon, approve=False, comment="Not during the campaign.")
        seed_operations.end(
            operation, "rejected", at=soon, seconds=0, error="Rejected by approver2. Not during the campaign."
        )
        return
    if operation.status == "awaiting_approval" and day == 30:
        seed_operations.end(
            operation, "expired", at=at + timedelta(hours=72), seconds=0, error="Nobody approved it in time."
        )
        return
    if operation.status == "awaiting_approval":
        seed_operations.vote(operation, people["approver"], at=soon, comment="Read it, fine.")
    seed_operations.end(operation, "succeeded", at=soon, seconds=14)


def _night_of_the_broken_glass(people: dict[str, User], environment: Environment, at: datetime) -> None:
    reason = "Checkout answers 500 since 22:40 and both approvers are on a flight."
    operation = _ask(people["operator"], "rehearsal.destructive", environment, at, reason, key="drop-stale-cache")
    seed_operations.break_glass(operation, people["operator"], reason, at=at + timedelta(minutes=4))
    seed_operations.end(operation, "succeeded", at=at + timedelta(minutes=5), seconds=21)


def _open_request(by: User, environment: Environment) -> None:
    """A real request: approver and approver2 can decide it, and it then really runs."""
    request(
        "rehearsal.destructive",
        by=by,
        environment=environment,
        parameters={"key": "legacy-score", "seconds": "5"},
        reason="Rehearse removing the legacy score before the real migration.",
        channel="demo",
    )
