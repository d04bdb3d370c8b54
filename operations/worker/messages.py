"""What lies in the queue is JSON that names one operation; no row of django-q2 is ever unpickled.

In: a task of django-q2; out: text for its table, and back. Whoever writes that table can only wake an operation, which
the claim judges anew: so a message names no function, needs no signature, and workers need no key of the web's for it.
"""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

from django.utils import timezone
from django_q.signing import BadSignature, SignedPackage
from django_q.status import Status
from picklefield import fields

from operations.models.ulid import ALPHABET

DISPATCH = "operations.worker.django_q.dispatch"
CANARY = "canary"
LONGEST = 100  # characters: an identifier and its braces have 44
_OPERATION = re.compile(rf"[{ALPHABET}]{{26}}|{CANARY}")


def install() -> None:
    """Put these in place of django-q2's pickles: messages, and the columns of its tables. Call before any is read."""
    replaced: list[tuple[object, str, object]] = [
        (SignedPackage, "dumps", staticmethod(dumps)),
        (SignedPackage, "loads", staticmethod(loads)),
        (fields, "dbsafe_encode", _column),
        (fields, "dbsafe_decode", _as_stored),
    ]
    for owner, name, function in replaced:
        setattr(owner, name, function)


def dumps(task: Any, compressed: bool = False) -> str:
    """The text of a message. Raises TypeError for a task that is not the waking of one operation."""
    if isinstance(task, Status):
        return ""  # a cluster's statistics, for a monitor that the portal does not have
    ours = isinstance(task, dict) and task.get("func") == DISPATCH and not task["kwargs"]
    named: tuple[Any, ...] = task["args"] if ours else ()
    if len(named) != 1 or not _OPERATION.fullmatch(str(named[0])):
        raise TypeError("Only the waking of one operation is ever queued. Nothing was put into the queue.")
    return json.dumps({"operation": named[0]})


def loads(text: object) -> dict[str, Any]:
    """The task that a message stands for. Raises BadSignature for other text, upon which django-q2 drops it."""
    operation = _read(text)
    if not isinstance(operation, str) or not _OPERATION.fullmatch(operation):
        raise BadSignature(
            "A message in the queue is none of the portal's. It was not loaded and is dropped; operations that wait "
            "are woken by the tick. If no release was changed just now, somebody else writes the table django_q_ormq."
        )
    fixed = {"func": DISPATCH, "args": (operation,), "kwargs": {}, "save": False, "ack_failure": True}
    return {"id": uuid4().hex, "name": f"wake-{operation}", "started": timezone.now(), **fixed}


def _read(text: object) -> object:
    if not isinstance(text, str) or len(text) > LONGEST:
        return None
    try:
        message = json.loads(text)
    except ValueError:
        return None
    return message["operation"] if isinstance(message, dict) and set(message) == {"operation"} else None


def _column(value: object, *_: object, **__: object) -> fields.PickledObject:
    """A value of a task's row, as text to be read by people."""
    return fields.PickledObject(json.dumps(value, default=str))


def _as_stored(value: object, *_: object) -> object:
    return value
