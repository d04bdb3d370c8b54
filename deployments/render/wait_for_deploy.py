"""The step that waits for a deploy to end on Render."""

from __future__ import annotations

import logging

from deployments.models import Deployment, Service
from deployments.models.deployment import Status
from deployments.render.at_most_once import RENDER
from deployments.render.record_deploy import observe, vanished
from operations.engine.context import Cancelled, StepContext
from providers.errors import ProviderError
from providers.http.errors import Misshapen, NotFound, RateLimited, Unauthorized, Unavailable
from providers.render import Render

logger = logging.getLogger(__name__)
MOST_REFUSED = 20  # looks in a row with a key that Render refuses
ORDER = [
    Status.CREATED,
    Status.QUEUED,
    Status.BUILD_IN_PROGRESS,
    Status.PRE_DEPLOY_IN_PROGRESS,
    Status.UPDATE_IN_PROGRESS,
    Status.LIVE,
]


def until_ended(ctx: StepContext, api: Render, service: Service, deploy: str) -> Deployment:
    """Follow one deploy to its end, through outages of Render. A cancelled operation cancels the deploy.

    Raises ProviderError when it failed or was cancelled; what was live before stays live."""
    refused = 0
    while True:
        try:
            row, refused = _read_deploy(ctx, api, service, deploy), 0
        except Unauthorized as error:
            row, refused = None, refused + 1
            if refused > MOST_REFUSED:
                raise ProviderError(f"{error.message} The deploy {deploy} goes on at Render.") from error
        if row and not row.moving:
            break
        word = row.word if row else "Render does not answer"
        phase = ORDER.index(Status(row.status)) if row and row.status in ORDER else 0
        try:
            ctx.progress(phase, len(ORDER) - 1, unit="phases", note=word)
            RENDER.pause(ctx)
        except Cancelled as cancelled:
            raise Cancelled(_cancel(ctx, api, service, deploy)) from cancelled
    ctx.result(deployment=deploy, status=row.provider_status, commit=row.commit_sha)
    supersede(api, service, row)
    if row.status == Status.CANCELED and service.deployments.filter(created_at__gt=row.created_at).exists():
        raise ProviderError("A newer deploy took its place before it was live; look at that one. Nothing of this runs.")
    if not row.was_live:
        raise ProviderError(
            f"Render ended it as {row.word.lower()}. What was live before is still live. Read the log below."
        )
    return row


def _read_deploy(ctx: StepContext, api: Render, service: Service, deploy: str) -> Deployment | None:
    try:
        seen = api.deploys.get(service.render_id, deploy)
    except (Unavailable, RateLimited, Misshapen) as error:
        ctx.log(error.message)
        return None
    observe(service, seen, operation=ctx.operation)
    return service.deployments.get(render_id=deploy)


def supersede(api: Render, service: Service, new: Deployment) -> None:
    """What was live until now is read again at once; it decides nothing, and the next poll sees it too."""
    for row in service.deployments.filter(status=Status.LIVE).exclude(pk=new.pk):
        try:
            observe(service, api.deploys.get(service.render_id, row.render_id), row)
        except NotFound:
            vanished(row)
        except ProviderError as error:
            logger.warning("what was live on %s could not be read again: %s", service.name, error)


def _cancel(ctx: StepContext, api: Render, service: Service, deploy: str) -> str:
    """What is to be said where Render did not confirm it; nothing where it did."""
    try:
        api.deploys.cancel(service.render_id, deploy)
        ctx.log(f"asked Render to cancel {deploy}")
        row = _read_deploy(ctx, api, service, deploy)
        if row is None or row.status != Status.CANCELED:
            said = f"says {row.word.lower()} of it" if row else "does not say how it stands"
            return f"Render took the cancel of {deploy} but {said}; it may still go live. Look at {service.name} there."
    except ProviderError as error:
        ctx.log(f"could not cancel it on Render: {error}")
        return f"Render did not say that {deploy} stopped; it may still go live. {error} Look at {service.name} there."
    return ""
