"""Rollback: autodeploy off first (Render's API leaves it on), then one new deploy of an old build, then healthy.

Routine for one person, also at night and in a freeze, unless the target was not healthy or another part of the portal
says with a red consequence that something will not be undone; then it needs a vote where the environment asks for one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from deployments.health.auto_rollback import refuse_outdated
from deployments.kinds.base import SERVICE, ServiceKind, deployment_of, here, name_of
from deployments.kinds.deploy import confirm, watch
from deployments.models import Deployment, Service, named
from deployments.models.deployment import GONE, MOVING, Status
from deployments.render.at_most_once import ensure, start_deploy
from deployments.render.commits_between import taken_back
from deployments.render.intent import is_asked_for
from deployments.render.record_deploy import vanished
from operations.engine.context import StepContext
from operations.engine.kinds import registry
from operations.engine.specs import Block, Consequence, Fact, Parameter, Parameters, step
from operations.models import Environment, Risk, Task
from providers.errors import ProviderError, Refused
from providers.http.errors import NotFound
from providers.render import Deploy as Seen
from providers.render import Render

logger = logging.getLogger(__name__)


def targets_here(environment: Environment) -> Iterable[tuple[str, str]]:
    rows = Deployment.objects.superseded().filter(service__environment=environment).select_related("service")
    rows = rows.order_by("service__name", "-created_at")
    return [(row.render_id, f"{row.service.name} {row.short} {row.title}"[:90]) for row in rows[:200]]


def autodeploy_off(ctx: StepContext) -> None:
    """Switch autodeploy off and open the task to switch it on again; nothing where it is off already."""
    api, service = here(ctx)
    refuse_outdated(api, ctx.operation, service)
    _refuse_gone(api, service, deployment_of(service, ctx.parameters["deployment"]))
    was_on = service.autodeploy
    if was_on:
        open_task(ctx, service)  # before the write: its answer may be lost after its effect
    written = ensure(
        ctx,
        api,
        service,
        lambda seen: not seen.auto_deploy,
        lambda: api.services.set_autodeploy(service.render_id, False),
        "autodeploy off",
    )
    if written or was_on:
        ctx.log("autodeploy is off")
        open_task(ctx, service)


def _refuse_gone(api: Render, service: Service, target: Deployment) -> None:
    """Before anything is changed: Render still has what it is to go back to."""
    try:
        api.deploys.get(service.render_id, target.render_id)
    except NotFound:
        vanished(target)
        raise Refused(
            f"Render no longer has {target}. Nothing was changed; choose a newer one, or deploy its commit."
        ) from None
    except ProviderError as error:
        logger.warning("whether Render still has %s is not told: %s", target, error)


def open_task(ctx: StepContext, service: Service) -> None:
    Task.objects.get_or_create(
        dedupe_key=f"autodeploy:{service.render_id}:{ctx.operation.pk}",
        defaults={
            "kind": Task.Kind.REENABLE_AUTODEPLOY,
            "title": f"Switch autodeploy of {service.name} on again",
            "body": "It was switched off for a rollback, so that the next push does not bring the bad version back.",
            "environment": ctx.environment,
            "operation": ctx.operation,
        },
    )


def send(ctx: StepContext) -> None:
    api, service = here(ctx)
    target = deployment_of(service, ctx.parameters["deployment"])

    def ours(deploy: Seen) -> bool:
        return is_asked_for(ctx.operation.kind, {"deployment": target.render_id}, service, deploy)

    try:
        start_deploy(ctx, api, service, lambda: api.deploys.rollback(service.render_id, target.render_id), ours)
    except ProviderError as error:
        raise ProviderError(error.message + _left_off(ctx, service), retryable=error.retryable) from error


def _left_off(ctx: StepContext, service: Service) -> str:
    """What this operation did change although the rollback itself was declined."""
    if not Task.objects.filter(operation=ctx.operation, kind=Task.Kind.REENABLE_AUTODEPLOY, closed_at=None).exists():
        return ""
    return (
        f" Autodeploy of {service.name} was switched off before and stays off: "
        "the open task on the home page says how to switch it on again."
    )


class Rollback(ServiceKind):
    name, label, permission = "deployments.rollback", "Roll back", "deployments.rollback"
    about = "Puts an earlier version live again; migrations stay as they are."
    restores_service = True
    exclusive = "rollback:{service}"  # a deploy that hangs must not hold it up
    steps = [
        step("autodeploy_off", autodeploy_off, pool="urgent"),
        step("send", send, pool="urgent"),
        step("watch", watch, pool="urgent"),
        step("health", confirm, pool="urgent"),
    ]
    parameters = [SERVICE, Parameter("deployment", "Back to", choices=targets_here, named=named.deployment)]

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        row = deployment_of(service, str(parameters["deployment"]))
        if not row.was_live:
            raise Refused(f"{row} was never live ({row.word.lower()}). Nothing was requested; choose another one.")
        if row.status == Status.LIVE:
            raise Refused(f"{row} is what is live now. Nothing was requested; choose an older one.")
        if row.provider_status == GONE:
            raise Refused(
                f"Render no longer has {row}. Nothing was requested; choose a newer one, or deploy its commit."
            )
        return {**parameters, "deployment": row.render_id}

    def assess(self, environment: Environment, parameters: Parameters) -> str:
        row = Deployment.objects.get(service__render_id=parameters["service"], render_id=parameters["deployment"])
        added = [line for tell in registry.consequences.get(self.name, []) for line in tell(environment, parameters)]
        risky = row.health == Deployment.Health.UNHEALTHY or any(line.tone == "bad" for line in added)
        return Risk.SENSITIVE if risky else Risk.ROUTINE

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        service = Service.objects.get(render_id=parameters["service"])
        row = service.deployments.get(render_id=parameters["deployment"])
        live = service.deployments.filter(status=Status.LIVE).order_by("-created_at").first()
        lines = [
            Consequence(
                f"{service.name} goes from {live.short if live else 'nothing'} back to {row.short} “{row.title}”."
            )
        ]
        if live and (link := service.compare_url(row.commit_sha, live.commit_sha)):
            lines.append(Consequence(f"What is taken back: {link}"))
        if service.autodeploy:
            lines.append(Consequence("Autodeploy is switched off; a task reminds you to switch it on again.", "warn"))
        if service.deployments.filter(status__in=MOVING - {Status.UNKNOWN}).exists():
            lines.append(Consequence("A deploy is running: Render may finish it first. Cancel it to be sure.", "warn"))
        if row.health == Deployment.Health.UNHEALTHY:
            lines.append(Consequence("That version was not healthy when it was live.", "bad"))
        lines.append(
            Consequence("The database, disks and variables stay as they are: migrations are not undone.", "warn")
        )
        return lines

    def shown(self, environment: Environment, parameters: Parameters) -> list[Fact | Block]:
        service = Service.objects.get(render_id=parameters["service"])
        return taken_back(service, service.deployments.get(render_id=parameters["deployment"]))

    def describe(self, parameters: Parameters) -> str:
        row = Deployment.objects.filter(
            service__render_id=parameters["service"], render_id=parameters["deployment"]
        ).first()
        return f"{name_of(parameters['service'])} to {row.short if row else parameters['deployment']}"
