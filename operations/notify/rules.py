"""Derives messages from what the rows say: votes wanted, reminders, break-glass, failures, open tasks,
moved authority.

In: operations, tasks and entries. Out: messages in the outbox, each once (dedupe keys), however often it runs and
whoever crashed. The demo's story is silent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from operations.authority import VOTE, holders
from operations.models import Operation, Status, Task
from operations.navigation import page_of
from operations.notify import authority
from operations.notify.outbox import addresses, enqueue
from operations.periodic.clock import database_time
from operations.periodic.isolation import Failed, each, tell

_LOOK_BACK = timedelta(days=1)
_REMIND_BEFORE = timedelta(hours=24)
_MOST = 100
FOR_APPROVERS = {Task.Kind.REVIEW_BREAK_GLASS, Task.Kind.REVIEW_RESTORE_OF_SERVICE, Task.Kind.ALWAYS_STEP_FAILING}


def sweep() -> int:
    """One round; returns how many messages are new. Raises SomeFailed after the others were told."""
    failed, made = Failed(), 0
    for rows, tell_of in RULES:
        for row in rows():
            with each(row, failed):
                made += tell_of(row)
    tell(failed)
    return made


def _recent(**status: str) -> list[Operation]:
    """The newest of this status; a request lives three days at most, so older rows have been told about."""
    week = database_time() - timedelta(days=7)
    rows = Operation.objects.filter(seeded=False, requested_at__gt=week, **status)
    return list(rows.select_related("environment", "requested_by").order_by("-requested_at")[:_MOST])


def _ask(row: Operation, key: str, words: str) -> int:
    votes = "one vote" if row.approvals_required == 1 else f"{row.approvals_required} votes"
    body = f"{row.requested_by} asks for a {row.risk} act: {row}.\nReason: {row.reason or 'none given'}\n"
    body += f"It needs {votes} before {row.expires_at:%Y-%m-%d %H:%M} UTC."
    approvers = addresses(holders(VOTE, row.environment))
    others = [address for address in approvers if address != row.requested_by.email]
    subject = f"{words}: {row} on {row.environment}"
    return enqueue(f"{key}:{row.pk}", subject=subject, body=body, path=page_of(row), to=others)


def _votes_wanted() -> Iterable[Operation]:
    return _recent(status=Status.AWAITING_APPROVAL)


def _ask_for_votes(row: Operation) -> int:
    return _ask(row, "approval", "Approval wanted")


def _unreminded() -> Iterable[Operation]:
    waiting = Operation.objects.filter(status=Status.AWAITING_APPROVAL, reminded_at=None, seeded=False)
    soon = waiting.filter(expires_at__lt=database_time() + _REMIND_BEFORE)
    return soon.select_related("environment", "requested_by")[:_MOST]


@transaction.atomic
def _remind(row: Operation) -> int:
    if not Operation.objects.filter(pk=row.pk, reminded_at=None).update(reminded_at=database_time()):
        return 0
    return _ask(row, "reminder", "Still waiting for approval")


def _glass_broken() -> Iterable[Operation]:
    recent = database_time() - _LOOK_BACK
    rows = Operation.objects.filter(break_glass_from__gt=recent, seeded=False, break_glass_by__isnull=False)
    return rows.select_related("environment", "break_glass_by")[:_MOST]


def _tell_of_glass(row: Operation) -> int:
    subject = f"Break-glass: {row} on {row.environment}"
    body = f"{row.break_glass_by} runs it without votes.\nReason: {row.break_glass_reason}\nSomebody else reviews it."
    approvers = addresses(holders(VOTE, row.environment))
    return enqueue(f"break-glass:{row.pk}", subject=subject, body=body, path=page_of(row), to=approvers)


def _failed() -> Iterable[Operation]:
    since = database_time() - _LOOK_BACK
    return [row for row in _recent(status=Status.FAILED) if row.ended_at and row.ended_at > since]


def _tell_of_failure(row: Operation) -> int:
    body = f"{row.error.strip() or 'No reason was recorded.'}\nRequested by {row.requested_by}."
    subject, to = f"Failed: {row} on {row.environment}", [row.requested_by.email]
    about = row.environment
    return enqueue(f"failed:{row.pk}", subject=subject, body=body, path=page_of(row), to=to, about=about)


def _opened() -> Iterable[Task]:
    fresh = Task.objects.filter(closed_at=None, opened_at__gt=database_time() - _LOOK_BACK)
    of_the_story = Q(operation__isnull=False, operation__seeded=True)
    return fresh.exclude(of_the_story).select_related("operation", "environment")[:_MOST]


def _tell_of_task(task: Task) -> int:
    path = page_of(task.operation) if task.operation else reverse("admin:operations_task_changelist")
    to = addresses(holders(VOTE, task.environment)) if task.kind in FOR_APPROVERS else []
    return enqueue(f"task:{task.pk}", subject=f"To do: {task.title}", body=task.body, path=path, to=to)


RULES: list[tuple[Callable[[], Iterable[Any]], Callable[[Any], int]]] = [
    (_votes_wanted, _ask_for_votes),
    (_unreminded, _remind),
    (_glass_broken, _tell_of_glass),
    (_failed, _tell_of_failure),
    (_opened, _tell_of_task),
    (authority.moved, authority.tell_of),
]
