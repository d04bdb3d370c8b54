"""Service rows as Render shows them: created, changed, assigned to an environment, removed and back again.

In: the client, or one service as it was seen. Out: rows; what people care about goes to the ledger, and that a service
is gone or back is told to people too, each once and in the transaction of the row's change.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from deployments import workspace
from deployments.environment_group import group_of
from deployments.models import Service
from deployments.render.word import DETAILS, FOLLOWED, columns, is_older, service_is_doubtful
from ledger.services import record
from operations.accounts import RENDER
from operations.kinds.unasked_environment import seen as seen_environment
from operations.models import Environment, Task
from operations.navigation import page_of
from operations.notify import enqueue
from operations.periodic.clock import database_time
from operations.periodic.gone import not_found
from operations.periodic.isolation import Failed, each
from providers.http.errors import NotFound
from providers.render import Render
from providers.render import Service as Seen

MOST_ASKED = 20  # rows in one pass that a list misses


def sync_services(api: Render, failed: Failed) -> list[Service]:
    """Read every service of the key; returns the rows that Render still has. Raises ProviderError.

    `failed` takes what could not be stored: one such row stops no other. A list that misses a row is no word about it:
    it is asked for by its id."""
    rows = {row.render_id: row for row in Service.objects.select_related("environment")}
    every, present = list(api.services.list()), []
    if any(seen.environment_id and seen.id not in rows for seen in every):
        _read_places(api, failed)
    doubted = list[Service]()
    for render_id, said in _by_id(every).items():
        row = rows.get(render_id)
        if row is not None and service_is_doubtful(row, said):
            doubted.append(row)
            continue
        with each(said[0].name or render_id or "a service without an id", failed), transaction.atomic():
            older = row is not None and is_older(row, said[0])
            row = row if row and older else store_service(said[0], row)
        present += [row] if row is not None else []  # what of it could not be stored hides none of its deploys
    listed = {seen.id for seen in every}
    missed = [row for row in rows.values() if row.removed_at is None and row.render_id not in listed]
    ask = [*doubted[:MOST_ASKED], *sorted(missed, key=lambda row: row.missing_since is None)[:MOST_ASKED]]
    present += [row for row in doubted[MOST_ASKED:] if row.removed_at is None]
    for row in ask:
        still = row if row in doubted and row.removed_at is None else None
        with each(row.name, failed):
            still = fetch(api, row.render_id)
        present += [still] if still is not None else []
    return present


def _read_places(api: Render, failed: Failed) -> None:
    """Before a new service comes in: where Render has it."""
    with each("Render's environments", failed, alone=True):
        workspace.read_environments(api)


def _by_id(every: list[Seen]) -> dict[str, list[Seen]]:
    said: dict[str, list[Seen]] = {}
    for seen in every:
        said.setdefault(seen.id, []).append(seen)
    return said


def fetch(api: Render, render_id: str) -> Service | None:
    """The row of one service as Render shows it now; None where it does not. At the second 404, apart in time, it is
    marked removed. Raises ProviderError."""
    row = Service.objects.filter(render_id=render_id).select_related("environment").first()
    try:
        seen = api.services.get(render_id)
    except NotFound:
        if row is not None and row.removed_at is None and not_found(row):
            mark_removed(render_id)
        return None
    if row is None and seen.environment_id:
        _read_places(api, Failed())
    return store_service(seen, row)


def mark_removed(render_id: str) -> bool:
    """Render no longer has it: row, ledger and a message, once; whether that was news. Deployments are kept."""
    now = database_time()
    with transaction.atomic():
        if not Service.objects.filter(render_id=render_id, removed_at=None).update(removed_at=now):
            return False
        row = Service.objects.select_related("environment").get(render_id=render_id)
        body = "Somebody deleted it there, or its preview ended. What the portal recorded of it is kept."
        _announce(row, "service_removed", f"{row.name} is gone from Render", body, now)
    return True


def store_service(seen: Seen, row: Service | None = None) -> Service:
    """The row of one service, up to date; written only where something differs."""
    if not seen.id:
        raise ValueError("Render sent no id; nothing was recorded.")
    new = columns(seen.whole())
    if row is None:
        row = Service(render_id=seen.id, **new, is_self=seen.id == settings.RENDER_SELF_SERVICE_ID)
        row.environment = environment_of(row)
        row.save()
        return row
    changed = {key: value for key, value in new.items() if getattr(row, key) != value}
    if row.environment is None:
        changed["environment"] = environment_of(row)
    if changed:
        _change(row, changed)
    return row


def environment_of(row: Service) -> Environment:
    """The environment that Render has it in, or its name, branch and parent point to; a new one is as strict as the
    strictest."""
    at_render = "" if row.parent_render_id else workspace.known().environments.get(row.render_id, "")
    group = group_of(at_render, "", "") if at_render else group_of(row.name, row.branch, row.parent_render_id)
    taken = Environment.objects.filter(slug=group.slug).exclude(kind=group.kind).exists()
    slug = f"{group.kind}-{group.slug}"[:60] if taken and group.kind == "preview" else group.slug
    return seen_environment(slug, name=group.name, kind=group.kind, by=RENDER)[0]


def _change(row: Service, changed: dict[str, Any]) -> None:
    """Write what differs; a setting that people care about goes to the ledger, old and new."""
    followed = {key: [_plain(getattr(row, key)), _plain(changed[key])] for key in FOLLOWED if key in changed}
    now = changed.get("settings", row.settings)
    followed |= {
        key: [_plain(row.settings.get(key)), _plain(now.get(key))]
        for key in DETAILS
        if row.settings.get(key) != now.get(key)
    }
    for key, value in changed.items():
        setattr(row, key, value)
    with transaction.atomic():
        if "removed_at" in changed:
            _mark_back(row)
        row.save(update_fields=list(changed))
        if changed.get("autodeploy"):
            close_reminders(row, resolution="Render shows it on")
        if followed:
            environment = row.environment_slug
            data = {"service": row.name, "changed": followed}
            record("deployments.settings_changed", actor=RENDER, environment=environment, subject=row.name, data=data)


def close_reminders(row: Service, **closing: Any) -> None:
    """Autodeploy is on: what a rollback left to do is done."""
    ours = Task.objects.filter(dedupe_key__startswith=f"autodeploy:{row.render_id}:", closed_at=None)
    ours.filter(kind=Task.Kind.REENABLE_AUTODEPLOY).update(closed_at=database_time(), **closing)


def _mark_back(row: Service) -> None:
    """A removed service is listed again; told only by whoever changes the row."""
    if Service.objects.filter(pk=row.pk).exclude(removed_at=None).update(removed_at=None):
        body = "It had been gone. Its deploys and settings are followed again."
        _announce(row, "service_back", f"{row.name} is back at Render", body, database_time())


def _announce(row: Service, code: str, subject: str, body: str, at: datetime) -> None:
    environment = row.environment_slug
    data = {"service": row.name, "render_id": row.render_id}
    record(f"deployments.{code}", actor=RENDER, environment=environment, subject=row.name, data=data)
    path = page_of(row)
    enqueue(f"{code}:{row.render_id}:{at.isoformat()}", subject=subject, body=body, path=path)


def _plain(value: Any) -> str | int | bool | None:
    return value if isinstance(value, str | int | bool | None) else str(value)
