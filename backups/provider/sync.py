"""Reads what Supabase tells of a project and of its backups into rows. In: environments with a ref. Out: rows, alarms.

The project and its list of backups must be readable; what else is refused (plan, token) is noted and never invented.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from django.db import models, transaction
from django.urls import reverse

from backups.models import ProviderBackup
from backups.provider.assessment import judge
from ledger.services import record
from operations.accounts import SUPABASE
from operations.models import Environment, SupabaseProject
from operations.notify import alarm, enqueue
from operations.periodic.clock import database_time
from operations.periodic.gone import unlisted
from operations.periodic.isolation import one_by_one
from operations.supabase_projects import configured, quick, ref_of
from providers.errors import ProviderError, Refused
from providers.http.errors import NotFound
from providers.supabase import Addon, Backups, ServiceHealth, Supabase

logger = logging.getLogger("backups.provider")
EVERY_SECONDS = 600
WINDOW = "pitr"
Answer = TypeVar("Answer")


def sync_all() -> list[SupabaseProject]:
    """Every linked environment, one after another; one that fails does not stop the others. The periodic job."""
    if not configured():
        return []
    synced = one_by_one(Environment.objects.exclude(supabase_ref=""), _sync_or_note)
    return [row for row in synced if row is not None]


def _sync_or_note(environment: Environment) -> SupabaseProject | None:
    try:
        return sync(environment, quick())
    except (ProviderError, Refused) as error:
        logger.warning("Supabase's backups of %s could not be read: %s", environment, error)
    return None


def sync(environment: Environment, api: Supabase) -> SupabaseProject:
    """One environment. Raises ProviderError or Refused after noting it; the rows then stay as they were."""
    ref = ref_of(environment)
    row = SupabaseProject.objects.filter(environment=environment).first() or SupabaseProject(environment=environment)
    try:
        fields = _facts(api, ref, row)
        listed = api.backups.list(ref)
        points = _points(api, ref)
    except ProviderError as error:
        _note_error(row, ref, error)
        raise
    with transaction.atomic():
        _store(row, ref, {**fields, "pitr_enabled": listed.pitr_enabled, "seen_at": database_time()})
        _store_backups(environment, ref, listed, points)
    tell(row)
    return row


def tell(row: SupabaseProject) -> None:
    """Alarm at the change between backed up and not; a free plan of an unprotected environment is only shown."""
    verdict = judge(row, list(ProviderBackup.objects.listed().filter(environment=row.environment, ref=row.ref)))
    quiet = row.plan == "free" and not row.environment.protected
    alarm(
        f"provider_backups:{row.environment.slug}",
        verdict.missing and not quiet,
        subject=f"Supabase keeps no backup of {row.environment}",
        body=verdict.sentence,
        path=reverse("admin:backups_layers"),
        about=row.environment,
    )


def _facts(api: Supabase, ref: str, row: SupabaseProject) -> dict[str, object]:
    """What the project says of itself; an optional part that is refused keeps its last value and leaves a note."""
    project, notes = api.projects.get(ref), dict[str, str]()

    def optional(part: str, ask: Callable[[], Answer], otherwise: Answer) -> Answer:
        try:
            return ask()
        except ProviderError as error:
            notes[part] = error.message
            return otherwise

    addons: Sequence[Addon] = optional("price", lambda: api.projects.addons(ref), [])
    services: Sequence[ServiceHealth] = optional("health", lambda: api.projects.health(ref), [])
    price = [addon.price or addon.variant for addon in addons if addon.type == "pitr"]
    return {
        "name": project.name,
        "organization": project.organization,
        "region": project.region,
        "status": project.status,
        "version": project.version,
        "plan": optional("plan", lambda: api.organizations.get(project.organization).plan, row.plan),
        "pooler_host": optional("pooler", lambda: _pooler(api, ref), row.pooler_host),
        "pitr_price": price[0] if price else "",
        "ssl_enforced": optional("ssl", lambda: api.network.ssl(ref).enforced, None),
        "open_to_all": optional("network", lambda: api.network.restrictions(ref).open_to_all, None),
        "services": [{"name": service.name, "status": service.status, "error": service.error} for service in services],
        "notes": notes,
    }


def _pooler(api: Supabase, ref: str) -> str:
    poolers = api.network.poolers(ref)
    return next((pooler.host for pooler in poolers if pooler.type == "PRIMARY"), poolers[0].host if poolers else "")


def _points(api: Supabase, ref: str) -> dict[str, str]:
    """The present status of each restore point that we made; one that Supabase no longer knows is left out."""
    statuses = {}
    for row in ProviderBackup.objects.listed().filter(ref=ref, kind=ProviderBackup.Kind.RESTORE_POINT):
        try:
            statuses[row.external_id] = api.backups.point(ref, row.external_id).status
        except NotFound:
            continue
        except ProviderError:
            statuses[row.external_id] = row.status
    return statuses


def _note_error(row: SupabaseProject, ref: str, error: ProviderError) -> None:
    kind = type(error).__name__
    since = row.error_since if row.error_kind == kind else database_time()
    _store(row, ref, {"error": error.message[:500], "error_kind": kind, "error_since": since}, keep_error=True)


def _store(row: SupabaseProject, ref: str, fields: dict[str, object], keep_error: bool = False) -> None:
    cleared = {} if keep_error else {"error": "", "error_kind": "", "error_since": None}
    for name, value in {"ref": ref, **cleared, **fields}.items():
        setattr(row, name, value)
    row.save()


def _store_backups(environment: Environment, ref: str, listed: Backups, points: dict[str, str]) -> None:
    now, seen, marked = database_time(), [], []
    for entry in listed.entries:
        detail = {"physical": entry.physical}
        fields = {"taken_at": entry.inserted_at, "status": entry.status, "detail": detail}
        seen.append(_keep(environment, ref, ProviderBackup.Kind.DAILY, str(entry.id), now, fields))
    if listed.pitr_enabled and listed.earliest and listed.latest:
        fields = {"earliest_at": listed.earliest, "latest_at": listed.latest, "status": "AVAILABLE"}
        seen.append(_keep(environment, ref, ProviderBackup.Kind.PITR_WINDOW, WINDOW, now, fields))
    for name, status in points.items():
        marked.append(_keep(environment, ref, ProviderBackup.Kind.RESTORE_POINT, name, now, {"status": status}))
    rows = ProviderBackup.objects.filter(environment=environment, gone_at=None)
    rows.exclude(ref=ref).update(gone_at=now)
    points_here = models.Q(kind=ProviderBackup.Kind.RESTORE_POINT)  # each was asked for by its name
    gone = unlisted(rows.filter(~points_here, ref=ref), seen)
    gone += unlisted(rows.filter(points_here, ref=ref), marked, may_be_empty=True)
    rows.filter(pk__in=[row.pk for row in gone]).update(gone_at=now)
    oldest = min((entry.inserted_at for entry in listed.entries if entry.inserted_at), default=now)
    if lost := [row for row in gone if (row.taken_at or now) > oldest]:
        _tell_gone(environment, lost)


def _tell_gone(environment: Environment, lost: list[ProviderBackup]) -> None:
    """What went though older ones stay; that the oldest daily backups go is their way."""
    names = ", ".join(map(str, lost))
    _tell("gone", environment, f"Supabase no longer lists {names} of {environment}", names)


def _tell(what: str, environment: Environment, subject: str, names: str) -> None:
    data = {"names": names}
    record(f"backups.provider.{what}", actor=SUPABASE, environment=environment.slug, subject=names[:60], data=data)
    enqueue(
        f"provider_{what}:{environment.slug}:{names[:60]}:{database_time().isoformat()}",
        subject=subject[:200],
        about=environment,
    )


def _keep(environment: Environment, ref: str, kind: str, name: str, now: datetime, fields: Mapping[str, object]) -> int:
    values = {"environment": environment, "seen_at": now, "gone_at": None, "missing_since": None, **fields}
    if back := ProviderBackup.objects.filter(ref=ref, kind=kind, external_id=name).exclude(gone_at=None).first():
        _tell("back", environment, f"Supabase lists {back} of {environment} again", str(back))
    row, _ = ProviderBackup.objects.update_or_create(ref=ref, kind=kind, external_id=name, defaults=values)
    return int(row.pk)
