"""Edge functions that are gone: by Supabase's word on each, or by an operation of ours. Rows and bundles stay.
Secrets that are: by two lists, apart in time.

In: what a list misses, or what was deleted. Out: the mark, a ledger entry, and a message where nobody here did it.
"""

from __future__ import annotations

from django.db import transaction

from deployments import no_longer
from deployments.models import EdgeFunction, EdgeSecret
from ledger.services import record
from operations.accounts import SUPABASE, SYSTEM
from operations.models import Environment
from operations.notify import enqueue
from operations.periodic.clock import database_time
from operations.periodic.gone import found, not_found
from operations.periodic.isolation import Failed, each
from operations.supabase_projects import ref_of
from providers.http.errors import NotFound
from providers.supabase import Supabase


def mark_missing(api: Supabase, environment: Environment, slugs: set[str], failed: Failed) -> int:
    """A list without a function is no word about it: each is asked for, and marked at its second 404; how many were.

    `failed` takes what was not answered. Raises ProviderError where nothing is."""
    marked, missing = 0, EdgeFunction.objects.filter(environment=environment, removed_at=None).exclude(slug__in=slugs)
    for row in missing:
        with each(f"{environment.slug} {row.slug}", failed):
            marked += _is_gone(api, row) and mark_removed(environment, row.slug, SYSTEM)
    return marked


def _is_gone(api: Supabase, row: EdgeFunction) -> bool:
    try:
        api.functions.get(ref_of(row.environment), row.slug)
    except NotFound:
        return not_found(row)
    found(row)
    return False


@transaction.atomic
def mark_removed(environment: Environment, slug: str, by: str) -> bool:
    """Note once that it is gone; row and bundles stay. People are told of what no operation did."""
    rows = EdgeFunction.objects.filter(environment=environment, slug=slug, removed_at=None)
    if not rows.update(removed_at=database_time()):
        return False
    if by == SYSTEM:
        subject = f"The edge function {slug} is gone from {environment}"
        enqueue(
            f"function_removed:{environment.slug}:{slug}:{database_time().isoformat()}",
            subject=subject,
            about=environment,
        )
    data = {"function": slug}
    record("deployments.function_removed", actor=by, environment=environment.slug, subject=slug, data=data)
    return True


@transaction.atomic
def mark_back(environment: Environment, slug: str) -> None:
    """Note once that it is there again."""
    if EdgeFunction.objects.filter(environment=environment, slug=slug).exclude(removed_at=None).update(removed_at=None):
        no_longer.tell_back(SUPABASE, f"the edge function {slug}", environment=environment)


def tell_gone(environment: Environment, secrets: list[EdgeSecret]) -> None:
    """No list has them any more, and no operation of ours took them away."""
    EdgeSecret.objects.filter(pk__in=[secret.pk for secret in secrets]).delete()
    no_longer.tell_gone(SUPABASE, [f"the secret {secret}" for secret in secrets], environment=environment)
