"""Reading edge functions, names of secrets and advisors into rows. A version that was not seen before has its bundle
fetched and kept, because Supabase keeps none: so there is always something to roll back to."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from deployments.functions import advisors
from deployments.functions.bundles import keep_eszip
from deployments.functions.connection_state import note
from deployments.functions.removal import mark_back, mark_missing, tell_gone
from deployments.models import EdgeFunction, EdgeSecret, FunctionBundle, FunctionVersion, ProjectSync
from ledger.services import record
from operations.accounts import SYSTEM
from operations.models import Environment
from operations.periodic.clock import database_time
from operations.periodic.gone import unlisted
from operations.periodic.isolation import Failed, each
from operations.supabase_projects import ref_of, supabase
from providers.errors import ProviderError, Refused
from providers.http.errors import RateLimited, Unauthorized
from providers.supabase import Function, Supabase
from providers.supabase.records import Calls

logger = logging.getLogger(__name__)


@dataclass
class SyncReport:
    """What one pass found."""

    functions: int = 0
    versions: int = 0
    removed: int = 0
    secrets: int = 0
    findings: int = 0
    resolved: int = 0
    failed: list[str] = field(default_factory=list)  # by Supabase's word
    broken: Failed = field(default_factory=Failed)  # here


def sync_all(*, deadline: float = 20.0, impatient: bool = True) -> SyncReport:
    """One pass over every environment with a project. A refused token or a limit stops it: nothing is asked twice. One
    that may not see a project may see the next.

    Raises Refused without a token. An environment that Supabase told to wait is left out while `impatient`."""
    api, report = supabase(deadline=deadline), SyncReport()
    waiting = set(ProjectSync.objects.filter(again_at__gt=database_time()).values_list("pk", flat=True))
    for environment in Environment.objects.exclude(supabase_ref="").order_by("pk"):
        if impatient and environment.pk in waiting:
            continue
        with each(environment.slug, report.broken, alone=True):
            try:
                sync(api, environment, report)
            except (ProviderError, Refused) as error:
                note(environment, error)
                report.failed.append(f"{environment.slug}: {error}")
                if isinstance(error, RateLimited) or (isinstance(error, Unauthorized) and not error.forbidden):
                    break
    return report


def sync(api: Supabase, environment: Environment, report: SyncReport | None = None) -> SyncReport:
    """One environment; each part is stored as soon as it was read. Raises ProviderError."""
    report, ref = report or SyncReport(), ref_of(environment)
    seen, failed = api.functions.list(ref), Failed()
    for function in seen:
        with each(f"{environment.slug} {function.slug}", failed):
            report.versions += store_function(api, environment, function) is not None
    report.functions += len(seen)
    report.removed += mark_missing(api, environment, {function.slug for function in seen}, failed)
    report.secrets += store_secrets(api, environment)
    findings = advisors.sync(api, environment)
    report.findings, report.resolved = report.findings + findings.opened, report.resolved + findings.resolved
    report.failed += failed
    note(environment, None)
    return report


def store_function(
    api: Supabase,
    environment: Environment,
    seen: Function,
    *,
    source: FunctionBundle | None = None,
    operation: str = "",
    actor: str = "",
) -> FunctionVersion | None:
    """Store one function as seen; the new version where there is one, with its bundle fetched and kept."""
    if not operation:
        mark_back(environment, seen.slug)
    row = _keep_function(api, environment, seen)
    if row.versions.filter(version=seen.version).exists():
        return None
    content = api.functions.bundle(ref_of(environment), seen.slug)
    if api.functions.get(ref_of(environment), seen.slug).version != seen.version:
        return None  # deployed once more meanwhile: these bytes may be the next version's, which the next pass sees
    bundle = keep_eszip(seen.slug, content)
    version = {
        "provider_sha256": seen.bundle_sha256,
        "entrypoint": seen.entrypoint,
        "verify_jwt": seen.verify_jwt,
        "bundle": bundle,
        "source": source,
        "operation": operation,
        "actor": actor,
        "live_at": seen.updated_at or database_time(),
    }
    return _keep_version(row, seen.version, bundle.sha256, version)


def _keep_function(api: Supabase, environment: Environment, seen: Function) -> EdgeFunction:
    calls = _calls(api, environment, seen)
    row, _ = EdgeFunction.objects.update_or_create(
        environment=environment,
        slug=seen.slug,
        defaults={
            "provider_id": seen.id,
            "status": seen.status,
            "version": seen.version,
            "verify_jwt": seen.verify_jwt,
            "entrypoint": seen.entrypoint,
            "provider_sha256": seen.bundle_sha256,
            "created_at": seen.created_at,
            "updated_at": seen.updated_at,
            "seen_at": database_time(),
            "removed_at": None,
            "missing_since": None,
            "requests": calls.requests if calls else None,
            "server_errors": calls.server_errors if calls else None,
        },
    )
    return row


def _keep_version(row: EdgeFunction, number: int, sha256: str, values: dict[str, Any]) -> FunctionVersion | None:
    """The version and its ledger entry in one transaction; None where it was kept before."""
    with transaction.atomic():
        version, new = FunctionVersion.objects.get_or_create(function=row, version=number, defaults=values)
        if not new:
            return None
        record(
            "deployments.function_live",
            actor=version.actor or SYSTEM,
            environment=row.environment.slug,
            subject=row.slug,
            data={
                "function": row.slug,
                "version": number,
                "sha256": sha256,
                "operation": version.operation,
            },
        )
    return version


def _calls(api: Supabase, environment: Environment, seen: Function) -> Calls | None:
    """The last hour's calls; a token without the right to statistics still sees functions."""
    try:
        return api.functions.calls(ref_of(environment), seen.id) if seen.id else None
    except ProviderError as error:
        logger.info("no statistics of %s: %s", seen.slug, error)
        return None


def store_secrets(api: Supabase, environment: Environment) -> int:
    """The names of the project's secrets; values and digests are dropped by the client. None is read by its name, so
    one that two lists lack is gone; no list is empty, as the platform's own are in each."""
    seen, rows = api.secrets.list(ref_of(environment)), EdgeSecret.objects.filter(environment=environment)
    with transaction.atomic():
        for secret in seen:
            rows.update_or_create(environment=environment, name=secret.name, defaults={"updated_at": secret.updated_at})
        listed = rows.filter(name__in=[secret.name for secret in seen]).values_list("pk", flat=True)
        if gone := unlisted(rows, list(listed)):
            tell_gone(environment, gone)
    return len(seen)
