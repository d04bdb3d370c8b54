"""Per environment, whether Supabase answers about its functions and advisors; a person is told at the change."""

from __future__ import annotations

from datetime import timedelta

from deployments.models import ProjectSync
from operations.models import Environment
from operations.notify import alarm
from operations.periodic.clock import database_time
from providers.errors import ProviderError, Refused
from providers.http.errors import RateLimited


def note(environment: Environment, error: ProviderError | Refused | None) -> None:
    """Remember whether Supabase answers for this environment; a person is told once, at the change."""
    row = ProjectSync.objects.filter(pk=environment.pk).first() or ProjectSync(environment=environment)
    now = database_time()
    kind = type(error).__name__ if error else ""
    if kind != row.error_kind:
        row.error_since = now if error else None
    row.error, row.error_kind = (str(error)[:500] if error else ""), kind
    row.again_at = now + timedelta(seconds=error.wait) if isinstance(error, RateLimited) else None
    row.ok_at = row.ok_at if error else now
    row.save()
    alarm(
        f"supabase:{environment.slug}",
        bool(error),
        subject=f"Supabase cannot be read for {environment}",
        body=row.error,
    )
