"""The step that waits for a new version to be found healthy, or not."""

from __future__ import annotations

from django.conf import settings

from deployments.health import probing
from deployments.models import Deployment, HealthCheck, Service
from deployments.models.deployment import Status
from deployments.render.at_most_once import RENDER
from deployments.render.wait_for_deploy import supersede
from operations.engine.context import StepContext
from providers.errors import ProviderError
from providers.render import Render


def until_healthy(ctx: StepContext, api: Render, service: Service, deploy: str) -> None:
    """Probe until enough answers in a row agree; of whom, is known once Render calls only one live. Raises
    ProviderError when the new version is not healthy."""
    service.refresh_from_db()
    if not service.health_url or service.maintenance or service.suspended:
        ctx.log("not probed: no health address, in maintenance or suspended")
        return
    wordless = 0
    for number in range(settings.HEALTH_DECIDE_PROBES):
        supersede(api, service, service.deployments.get(render_id=deploy))
        check = probing.probe(service)
        wordless += check.verdict == HealthCheck.Verdict.UNCLEAR
        row = service.deployments.get(render_id=deploy)
        ctx.progress(number + 1, settings.HEALTH_DECIDE_PROBES, unit="probes", note=check.detail)
        if row.health == Deployment.Health.HEALTHY:
            ctx.result(health="healthy", version=check.version)
            return
        if row.health == Deployment.Health.UNHEALTHY:
            ctx.result(health="unhealthy")
            raise ProviderError(f"It is live but not healthy: {check.detail}. Roll back, or look at the service's log.")
        if row.status == Status.DEACTIVATED:
            ctx.result(health="undecided")
            raise ProviderError("It was live, but another deploy replaced it before it was found healthy.")
        if wordless >= settings.HEALTH_GOOD_PROBES:
            ctx.log(f"it is live; whether it is healthy its address does not say: {check.detail}")
            ctx.result(health="undecided")
            return
        RENDER.pause(ctx)
    ctx.result(health="undecided")
    raise ProviderError("It is live, but its health never settled. Look at the service's log; nothing was rolled back.")
