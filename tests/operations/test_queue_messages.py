"""Whoever writes django-q2's tables, and holds SECRET_KEY besides, runs no code in a worker: nothing is unpickled."""

from __future__ import annotations

import json
import os
import pickle
from base64 import b64encode
from collections.abc import Callable
from multiprocessing import Event
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from django.core import signing
from django.db import connection
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.models import OrmQ, Success, Task
from django_q.monitor import save_task
from django_q.pusher import pusher
from django_q.tasks import async_task

from operations.worker import django_q
from operations.worker.messages import DISPATCH, dumps, loads

pytestmark = pytest.mark.django_db
ULID = "01K2Z3ABCDEFGHJKMNPQRSTVWX"
TASK = {"id": "a", "name": "b", "func": DISPATCH, "args": (ULID,), "kwargs": {}, "started": timezone.now()}


class Bomb:
    """Unpickling this creates a directory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return os.mkdir, (self.path,)


class Pickles:
    """What django-q2 itself signed with."""

    def dumps(self, value: object) -> bytes:
        return pickle.dumps(value)


def signed(value: object, compress: bool = False) -> str:
    return signing.dumps(value, key=Conf.SECRET_KEY, salt=Conf.PREFIX, compress=compress, serializer=Pickles)


FORGED: dict[str, Callable[[Bomb], str]] = {
    "a pickle": signed,
    "a compressed pickle": lambda bomb: signed(bomb, compress=True),
    "a pickled task of ours": lambda bomb: signed({**TASK, "args": (bomb,)}),
    "a pickled task of another function": lambda bomb: signed({**TASK, "func": "os.mkdir", "args": (str(bomb.path),)}),
    "a bare pickle": lambda bomb: pickle.dumps(bomb, protocol=0).decode(),
    "signed JSON": lambda bomb: signing.dumps({"operation": ULID}, key=Conf.SECRET_KEY, salt=Conf.PREFIX),
    "a function in JSON": lambda bomb: json.dumps({"func": "os.mkdir", "args": [str(bomb.path)]}),
    "a function beside": lambda bomb: json.dumps({"operation": ULID, "func": "os.mkdir"}),
    "a hook beside": lambda bomb: json.dumps({"operation": ULID, "hook": "os.mkdir"}),
    "a path for an operation": lambda bomb: json.dumps({"operation": str(bomb.path)}),
    "a number": lambda bomb: json.dumps({"operation": 7}),
    "a list": lambda bomb: json.dumps([ULID]),
    "an operation in a list": lambda bomb: json.dumps({"operation": [ULID]}),
    "text": lambda bomb: json.dumps(ULID),
    "twice its length": lambda bomb: json.dumps({"operation": ULID * 2}),
    "a line end": lambda bomb: json.dumps({"operation": ULID + "\n"}),
    "nothing": lambda bomb: "",
    "deep JSON": lambda bomb: "[" * 50_000 + "]" * 50_000,
    "wide JSON": lambda bomb: json.dumps({"operation": ULID}) + " " * 5_000_000,
}


def pulled() -> list[dict[str, Any]]:
    """What django-q2 hands to its workers, of everything that lies in the queue."""
    tasks: SimpleQueue[dict[str, Any]] = SimpleQueue()
    once = Event()
    once.set()
    for _ in range(OrmQ.objects.count()):
        pusher(tasks, once, get_broker("export"))
    return [tasks.get() for _ in range(tasks.qsize())]


@pytest.mark.parametrize("name", FORGED)
def test_a_message_that_is_not_ours_is_dropped_unloaded(name: str, tmp_path: Path, caplog: Any) -> None:
    target = tmp_path / "exploded"
    OrmQ.objects.create(key="export", payload=FORGED[name](Bomb(target)), lock=timezone.now())

    tasks = pulled()

    assert (tasks, OrmQ.objects.count(), target.exists()) == ([], 0, False)
    assert any("none of the portal's" in str(record.exc_info) for record in caplog.records)


@pytest.mark.parametrize("operation", [ULID, "canary"])
def test_a_message_of_ours_arrives_as_the_one_function(operation: str) -> None:
    django_q._put(operation, "export")

    (task,) = pulled()

    assert (task["func"], task["args"], task["kwargs"], task["save"]) == (DISPATCH, (operation,), {}, False)
    assert OrmQ.objects.get().payload == json.dumps({"operation": operation})


OTHERS: list[tuple[object, tuple[object, ...], dict[str, object]]] = [
    ("os.mkdir", ("x",), {}),
    (os.mkdir, ("x",), {}),
    (DISPATCH, (), {}),
    (DISPATCH, (ULID, ULID), {}),
    (DISPATCH, ("../x",), {}),
    (DISPATCH, ([ULID],), {}),
    (DISPATCH, (ULID,), {"operation_id": ULID}),
]


@pytest.mark.parametrize(("function", "arguments", "keywords"), OTHERS, ids=range(len(OTHERS)))
def test_nothing_else_can_be_queued(function: object, arguments: Any, keywords: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="Nothing was put"):
        async_task(function, *arguments, cluster="export", **keywords)

    assert not OrmQ.objects.exists()


def test_what_the_web_signs_a_worker_need_not_verify(settings: Any) -> None:
    message = dumps(TASK)
    settings.SECRET_KEY = Conf.SECRET_KEY = "another"

    assert loads(message)["args"] == (ULID,)


def test_no_cluster_looks_at_schedules() -> None:
    assert Conf.SCHEDULER is False  # a row of that table names any function


def planted(bomb: Bomb, pk: str, success: bool) -> None:
    row = Task.objects.create(id=pk, name=pk, func="f", started=timezone.now(), stopped=timezone.now(), success=success)
    texts = [b64encode(pickle.dumps(bomb)).decode()] * 3
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_q_task SET args = %s, kwargs = %s, result = %s WHERE id = %s", [*texts, row.pk])


def test_rows_of_tasks_are_read_without_being_loaded(tmp_path: Path) -> None:
    target = tmp_path / "exploded"
    planted(Bomb(target), "handled", True)
    planted(Bomb(target), "failed", False)
    failed = {
        **TASK,
        "id": "failed",
        "name": "failed",
        "stopped": timezone.now(),
        "result": "why",
        "success": False,
        "sync": True,
    }

    save_task(dict(failed), get_broker("export"))
    save_task({**failed, "id": "new", "name": "new"}, get_broker("export"))

    rows = list(Task.objects.all()) + list(Success.objects.all())
    assert [str(row.args)[:2] for row in rows if row.pk == "handled"] == ["gA"] * 2  # a pickle, as it was stored
    assert Task.objects.get(pk="new").result == '"why"'
    assert not target.exists()
