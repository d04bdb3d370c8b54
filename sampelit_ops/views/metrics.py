"""/metrics in the text format of Prometheus, for whoever holds OPS_METRICS_TOKEN.

In: `Authorization: Bearer TOKEN`. Out: gauges from few queries. Without a configured token there is no such page.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db.models import Count, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ledger import stream
from ledger.models import Head
from operations.models import Heartbeat, Operation, Status, Task
from operations.periodic.clock import database_time

OPEN = [Status.AWAITING_APPROVAL, Status.QUEUED, Status.RUNNING]


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """200 with the text; 401 without the right token; 404 where no token is configured."""
    if not settings.OPS_METRICS_TOKEN:
        raise Http404
    expected = f"Bearer {settings.OPS_METRICS_TOKEN}"
    if not constant_time_compare(request.headers.get("Authorization", ""), expected):
        return HttpResponse(
            "A bearer token is needed.\n", status=401, headers={"WWW-Authenticate": "Bearer"}, content_type="text/plain"
        )
    return HttpResponse(
        "\n".join([*_operations(), *_heartbeats(), *_ledger(), ""]),
        content_type="text/plain; version=0.0.4; charset=utf-8",
    )


def _operations() -> Iterator[str]:
    counted = (
        Operation.objects.filter(status__in=OPEN)
        .values("status", "kind")
        .annotate(n=Count("pk"), oldest=Min("requested_at"))
    )
    yield from _head("ops_operations_open", "Operations that have not ended, by status and kind.")
    rows = list(counted.order_by("status", "kind"))
    yield from (f'ops_operations_open{{status="{r["status"]}",kind="{r["kind"]}"}} {r["n"]}' for r in rows)
    yield from _head("ops_oldest_queued_seconds", "Age of the oldest queued operation; 0 when none waits.")
    waiting = [r["oldest"] for r in rows if r["status"] == Status.QUEUED]
    yield f"ops_oldest_queued_seconds {(database_time() - min(waiting)).total_seconds() if waiting else 0:.0f}"
    yield from _head("ops_tasks_open", "Human tasks that nobody has closed.")
    yield f"ops_tasks_open {Task.objects.filter(closed_at=None).count()}"


def _heartbeats() -> Iterator[str]:
    yield from _head("ops_heartbeat_age_seconds", "Seconds since each worker, canary, ticker or job last reported.")
    now = database_time()
    for beat in Heartbeat.objects.all()[:100]:
        name = beat.name.replace("\\", "_").replace('"', "_").replace("\n", "_")
        yield f'ops_heartbeat_age_seconds{{name="{name}"}} {(now - beat.beat_at).total_seconds():.0f}'


def _ledger() -> Iterator[str]:
    yield from _head("ops_ledger_entries", "Entries in the ledger.")
    head = Head.objects.first()
    yield f"ops_ledger_entries {head.sequence if head else 0}"
    if state := stream.state():
        yield from _head("ops_ledger_collector_behind_entries", "Entries that the outside collector lacks.")
        yield f"ops_ledger_collector_behind_entries {state.behind_entries}"
        yield from _head("ops_ledger_collector_behind_seconds", "Age of the oldest entry that it lacks.")
        yield f"ops_ledger_collector_behind_seconds {state.behind_seconds:.0f}"


def _head(name: str, help_text: str) -> Iterator[str]:
    yield f"# HELP {name} {help_text}"
    yield f"# TYPE {name} gauge"
