"""Deploy a branch head or a commit, and cancel a running deploy."""

from __future__ import annotations

import re
from collections.abc import Iterable

from deployments.health.settling import until_healthy
from deployments.kinds.base import SERVICE, ServiceKind, deployment_of, here, name_of
from deployments.models import Deployment, Service, named
from deployments.models.deployment import MOVING
from deployments.render.at_most_once import RENDER, start_deploy
from deployments.render.commits_between import brought, commits_here
from deployments.render.intent import is_asked_for, refuse_others
from deployments.render.record_deploy import observe
from deployments.render.wait_for_deploy import until_ended
from operations.engine.at_most_once import once
from operations.engine.context import StepContext
from operations.engine.specs import Block, Consequence, Fact, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers.errors import ProviderError, Refused
from providers.render import Deploy as Seen


def deploy_id(ctx: StepContext) -> str:
    """The deploy that this operation's `send` step started."""
    return str(ctx.state_of("send")["deploy"])


def watch(ctx: StepContext) -> None:
    api, service = here(ctx)
    row = until_ended(ctx, api, service, deploy_id(ctx))
    if ctx.state_of("send").get("alone"):
        refuse_others(api, service, row)


def confirm(ctx: StepContext) -> None:
    api, service = here(ctx)
    until_healthy(ctx, api, service, deploy_id(ctx))


def send(ctx: StepContext) -> None:
    api, service = here(ctx)
    commit, clear = ctx.parameters.get("commit"), ctx.parameters.get("clear_cache") == "yes"

    def ours(deploy: Seen) -> bool:
        return is_asked_for(ctx.operation.kind, ctx.parameters, service, deploy)

    start_deploy(
        ctx, api, service, lambda: api.deploys.create(service.render_id, commit=commit, clear_cache=clear), ours
    )


class Deploy(ServiceKind):
    name, label, permission = "deployments.deploy", "Deploy", "deployments.deploy"
    about = "Builds a commit and puts it live once it answers well."
    risk = Risk.SENSITIVE
    allowed_in_freeze = False
    steps = [
        step("send", send, pool="deploy"),
        step("watch", watch, pool="deploy"),
        step("health", confirm, pool="deploy"),
    ]
    parameters = [
        SERVICE,
        Parameter(
            "commit",
            "Commit",
            required=False,
            help="Choose one of the list, or type it. Empty: the newest commit of the branch.",
            named=named.commit,
            suggestions=commits_here,
        ),
        Parameter(
            "clear_cache", "Clear the build cache", required=False, choices=lambda _: [("no", "No"), ("yes", "Yes")]
        ),
    ]

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        if service.suspended:
            raise Refused(f"{service.name} is suspended. Nothing was requested; resume it first.")
        commit = str(parameters.get("commit", ""))
        if commit and not re.fullmatch(r"[0-9a-f]{7,64}", commit):
            raise Refused(f"{commit!r} is not a commit (7 to 64 hex digits). Nothing was requested.")
        if parameters.get("clear_cache", "no") not in ("yes", "no"):
            raise Refused("clear_cache is yes or no. Nothing was requested.")
        return parameters

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        service = Service.objects.get(render_id=parameters["service"])
        what = parameters.get("commit", "")[:7] or f"the newest commit of {service.branch}"
        lines = [
            Consequence(f"{service.name} is built from {what}; what is live stays live until the new one answers.")
        ]
        if service.health_url:
            lines.append(Consequence("It counts as done when it is healthy by status and body.", "ok"))
        if service.maintenance:
            lines.append(Consequence("Maintenance mode is on and stays on.", "warn"))
        return lines

    def shown(self, environment: Environment, parameters: Parameters) -> list[Fact | Block]:
        return brought(Service.objects.get(render_id=parameters["service"]), str(parameters.get("commit", "")))

    def describe(self, parameters: Parameters) -> str:
        return f"{name_of(parameters['service'])} {parameters.get('commit', '')[:7]}".strip()


def cancel(ctx: StepContext) -> None:
    api, service = here(ctx)
    wanted = ctx.parameters["deployment"]

    def ended_deploy() -> Seen | None:
        seen = api.deploys.get(service.render_id, wanted)
        observe(service, seen)
        return seen if seen.status not in MOVING else None

    seen = ended_deploy()
    if seen is None:
        once(ctx, lambda: api.deploys.cancel(service.render_id, wanted))
        seen = RENDER.until(ctx, ended_deploy)
    if seen is None or seen.status != "canceled":
        raise ProviderError(f"It was not cancelled: Render says {seen.status if seen else 'it still runs'}.")
    ctx.result(deployment=wanted, status=seen.status)


def running_here(environment: Environment) -> Iterable[tuple[str, str]]:
    rows = Deployment.objects.filter(service__environment=environment, status__in=MOVING).select_related("service")
    return [(row.render_id, f"{row.service.name} {row.short}, {row.word}") for row in rows[:20]]


class Cancel(ServiceKind):
    name, label, permission = "deployments.cancel", "Cancel a deploy", "deployments.deploy"
    about = "Stops a deploy that is still running; what is live stays live."
    risk = Risk.ROUTINE
    exclusive = "cancel:{deployment}"
    restores_service = True
    steps = [step("cancel", cancel, pool="urgent")]
    parameters = [SERVICE, Parameter("deployment", "Deploy", choices=running_here, named=named.deployment)]

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        row = deployment_of(service, str(parameters["deployment"]))
        if not row.moving:
            raise Refused(f"{row} is {row.word.lower()} and cannot be cancelled. Nothing was requested.")
        return {**parameters, "deployment": row.render_id}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [Consequence("The deploy stops; what is live stays live.", "ok")]

    def describe(self, parameters: Parameters) -> str:
        return f"{name_of(parameters['service'])} {named.deployment_short(parameters['deployment'])}"
