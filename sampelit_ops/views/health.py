"""What machines ask: is the process alive (/healthz), can it serve (/readyz).

In: an anonymous GET. Out: JSON. /healthz touches nothing outside the process, so a database blip restarts nobody;
/readyz answers 503 with the reason. Neither names hosts, users or settings.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Exists, Max, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from operations.models import Heartbeat, Operation, Status, Step
from operations.models.operation import database_now
from operations.periodic.clock import database_time

LATE_SECONDS = 300


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while this process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, migrations, workers and queue are well, else 503; each check says what it found."""
    try:
        _answers()
        checks = {"database": {"ok": True}, "migrations": _migrations(), "workers": _workers(), "queue": _queue()}
    except DatabaseError:
        checks = {"database": {"ok": False, "found": "the portal's database does not answer"}}
    ready = all(check["ok"] for check in checks.values())
    return JsonResponse({"status": "ready" if ready else "not ready", "checks": checks}, status=200 if ready else 503)


def _answers() -> None:
    """A connection of its own, within connect_timeout: one that is open waits for ever for a server that hangs."""
    probe = connection.copy("readyz")
    try:
        with probe.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        probe.close()


def _migrations() -> dict[str, Any]:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return {"ok": missing == 0, "unapplied": missing}


def _workers() -> dict[str, Any]:
    newest = Heartbeat.objects.filter(name__startswith="worker").aggregate(at=Max("beat_at"))["at"]
    age = _age(newest)
    return {"ok": age is not None and age <= 3 * settings.OPS_CANARY_SECONDS, "newest_heartbeat_seconds": age}


def _queue() -> dict[str, Any]:
    """How long due work has waited; whoever waits for the key of a healthy operation waits rightly.

    A holder without a lease stands between two steps and is due itself, so it is counted instead of those behind it.
    """
    healthy = Q(lease_until__gt=database_now()) | Q(lease_until=None)
    holders = Operation.objects.filter(healthy, status=Status.RUNNING, exclusive_key=OuterRef("exclusive_key"))
    held_back = Q(status=Status.QUEUED) & ~Q(exclusive_key="") & Exists(holders)
    since = Coalesce("due_at", Greatest("requested_at", "lease_until", _newest_step()))
    age = _age(Operation.objects.due().exclude(held_back).aggregate(oldest=Min(since))["oldest"])
    return {"ok": age is None or age <= LATE_SECONDS, "oldest_due_seconds": age}


def _newest_step() -> Subquery:
    """When the operation last came forward."""
    ended = Step.objects.filter(operation=OuterRef("pk"), ended_at__isnull=False).order_by("-ended_at")
    return Subquery(ended.values("ended_at")[:1])


def _age(moment: datetime | None) -> int | None:
    return None if moment is None else max(0, int((database_time() - moment).total_seconds()))
