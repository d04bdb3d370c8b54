"""What every verb on an edge function shares: keep what runs, send once, look until it shows.

Supabase has no idempotency keys and keeps no versions: what runs is kept before anything is sent, a lost answer is
looked up by the version number, and nothing is sent twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from django.conf import settings

from deployments.functions.sync import store_function
from deployments.models import EdgeFunction, FunctionBundle
from operations.engine.at_most_once import Polling, once
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Parameters
from operations.models import Environment, Risk
from operations.supabase_projects import ref_of, supabase
from providers.errors import ProviderError, Refused
from providers.http.errors import NotFound
from providers.supabase import Function, Supabase

SUPABASE = Polling("Supabase", looks=8, seconds=lambda: settings.DEPLOY_WATCH_SECONDS)
SLUG = r"[A-Za-z][A-Za-z0-9_-]{0,99}"


def named(slug: str) -> str:
    """The name, if it can be one. Raises Refused."""
    if not re.fullmatch(SLUG, slug):
        raise Refused(
            f"{slug!r} is no function's name: letters, digits, - and _, a letter first. Nothing was requested."
        )
    return slug


def functions_here(environment: Environment) -> Iterable[tuple[str, str]]:
    rows = EdgeFunction.objects.filter(environment=environment, removed_at=None)
    return [(row.slug, f"{row.slug} (version {row.version})") for row in rows]


def find_function(environment: Environment, slug: str, *, removed: bool = False) -> EdgeFunction:
    """A known function of this environment, also a removed one if asked for. Raises Refused with the known names."""
    rows = EdgeFunction.objects.filter(environment=environment)
    row = (rows if removed else rows.filter(removed_at=None)).filter(slug=slug).first()
    if row is None:
        known = ", ".join(rows.values_list("slug", flat=True)) or "none; run sampelit-ops sync_functions"
        raise Refused(f"{environment} has no function {slug!r}. Nothing was requested. Known: {known}.")
    return row


def live(api: Supabase, ctx: StepContext) -> Function | None:
    """The function as it is now, or None where there is none."""
    try:
        return api.functions.get(ref_of(ctx.environment), ctx.parameters["function"])
    except NotFound:
        return None


def keep_live(ctx: StepContext) -> None:
    """Fetch and keep what runs now, and note its version, so that the act can be undone and recognised."""
    api = supabase()
    seen = live(api, ctx)
    if seen is not None:
        store_function(api, ctx.environment, seen)
        ctx.log(f"Version {seen.version} of {seen.slug} is kept.")
    ctx.result(version_before=seen.version if seen else 0)


def replace(ctx: StepContext, send: Callable[[Supabase], Function], source: FunctionBundle | None) -> None:
    """Send once; whether it happened is told by the version, which Supabase raises with each deploy."""
    api = supabase()
    before = int(ctx.operation.result["version_before"])
    if not ctx.state.get("asked_at"):
        now = live(api, ctx)
        if (now.version if now else 0) != before:
            raise ProviderError(f"Somebody else deployed {ctx.parameters['function']} meanwhile. Nothing was sent.")
        once(ctx, lambda: send(api))

    def newer() -> Function | None:
        seen = live(api, ctx)
        return seen if seen is not None and seen.version > before else None

    seen = SUPABASE.until(ctx, newer)
    if seen is None:
        raise ProviderError(
            f"Supabase was asked once and shows no new version of {ctx.parameters['function']}. What ran goes on "
            "running. Look at its dashboard, then request it again."
        )
    store_function(
        api, ctx.environment, seen, source=source, operation=ctx.operation.pk, actor=str(ctx.operation.requested_by)
    )
    ctx.result(function=seen.slug, version=seen.version, status=seen.status)


def confirm(ctx: StepContext) -> None:
    """Wait until Supabase calls the new version active. Raises ProviderError with the way back."""
    api, wanted = supabase(), int(ctx.operation.result["version"])

    def active() -> Function | None:
        seen = live(api, ctx)
        return seen if seen is not None and seen.version >= wanted and seen.status == "ACTIVE" else None

    seen = SUPABASE.until(ctx, active)
    if seen is None:
        before = ctx.operation.result["version_before"]
        raise ProviderError(
            f"Version {wanted} of {ctx.parameters['function']} is not active. "
            f"Request deployments.function_rollback with version={before}."
        )
    store_function(api, ctx.environment, seen)


class FunctionKind(OperationKind):
    """A verb on one edge function."""

    exclusive = "function:{environment}/{function}"
    subject = "{function}"
    permission = "deployments.deploy"
    risk: Risk | str = Risk.SENSITIVE
    connects = ("project",)

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        ref_of(environment)
        return {**parameters, "function": named(str(parameters["function"]))}
