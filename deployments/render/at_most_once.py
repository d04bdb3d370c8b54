"""Writes to Render: a deploy is sent at most once and told from those listed before, a setting is read back.

In: a step context, the client, the row of a service and the write. Out: the deploy's id, or whether it was written.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from deployments.models import Service
from deployments.render.intent import Search
from deployments.render.record_deploy import observe
from deployments.render.service_rows import store_service
from operations.engine.at_most_once import Polling, once
from operations.engine.context import StepContext
from providers.errors import ProviderError
from providers.http.errors import UnknownOutcome
from providers.render import Deploy, Render
from providers.render import Service as Seen

WRITES = 3  # of a setting
LONG_LOOKS = 45  # more than two minutes: a deploy may be listed late
RENDER = Polling("Render", looks=8, seconds=lambda: settings.DEPLOY_WATCH_SECONDS)


def start_deploy(
    ctx: StepContext,
    api: Render,
    service: Service,
    send: Callable[[], Deploy | None],
    ours: Callable[[Deploy], bool],
) -> str:
    """Start a deploy or rollback once; returns its id. `ours` recognises it among deploys that were not there before.

    Raises ProviderError when Render declined, or when its answer was lost and no such deploy appeared."""
    if ctx.state.get("deploy"):
        return str(ctx.state["deploy"])
    started = None
    if not ctx.state.get("asked_at"):
        ctx.state["known"] = [deploy.id for deploy in _newest(api, service)]
        started = once(ctx, send)
    search = Search(api, service, ctx.state["known"], ours)
    started = started or RENDER.until(ctx, search.look, LONG_LOOKS)
    if started is None and search.possible:
        ctx.state["possible"] = search.possible
        ctx.save_state()
        raise ProviderError(
            f"Render was asked once at {ctx.state['asked_at']} and its answer was lost; {', '.join(search.possible)} "
            f"began since, and Render does not say which is ours, so none is taken for it. Look at {service.name} in "
            f"Render before you request it again: {service.dashboard_url}"
        )
    if started is None:
        raise ProviderError(
            f"Render was asked once at {ctx.state['asked_at']} and its answer was lost; it lists no new deploy of "
            f"{service.name} so far. Probably it was not started and what was live is untouched. Look at its page in "
            f"Render before you request it again: {service.dashboard_url}. One that appears later is recorded as this."
        )
    ctx.state |= {"deploy": started.id, "alone": search.alone}
    ctx.save_state()
    observe(service, started, operation=ctx.operation)
    return started.id


def ensure(
    ctx: StepContext,
    api: Render,
    service: Service,
    wanted: Callable[[Seen], bool],
    write: Callable[[], object],
    what: str,
) -> bool:
    """Bring a setting to the wanted state and read it back; True where it had to be written. A write that is lost is
    sent again: of a setting the second changes nothing.

    Raises ProviderError when Render does not show it after the write."""
    seen = api.services.get(service.render_id)
    if wanted(seen):
        store_service(seen, service)
        return False

    def wanted_state() -> Seen | None:
        now = api.services.get(service.render_id)
        return now if wanted(now) else None

    shown = None
    for _ in range(WRITES):
        try:
            write()
        except UnknownOutcome as lost:
            ctx.log(f"{lost.message} Reading it back.")
        if (shown := RENDER.until(ctx, wanted_state)) is not None:
            break
    if shown is None:
        raise ProviderError(
            f"Render was asked for {what} on {service.name}, but does not show it. Look at its dashboard."
        )
    store_service(shown, service)
    return True


def _newest(api: Render, service: Service) -> list[Deploy]:
    return next(api.deploys.pages(service.render_id, limit=20), [])
