"""Restart, scale, suspend and resume a service."""

from __future__ import annotations

from datetime import datetime, timedelta

from deployments.kinds.base import SERVICE, ServiceKind, here, name_of, set_here
from deployments.models import Service
from deployments.render.at_most_once import LONG_LOOKS, RENDER
from operations.engine.at_most_once import answered
from operations.engine.context import StepContext
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers.errors import ProviderError, Refused
from providers.render import Event, Services


def restart(ctx: StepContext) -> None:
    """Restart once; a lost answer is looked up in the service's events."""
    api, service = here(ctx)
    if not ctx.state.get("asked_at"):
        ctx.state["known"] = [event.id for event in api.events.list(service.render_id, type="server_restarted")]
        if answered(ctx, lambda: api.services.restart(service.render_id)):
            ctx.result(service=service.name)
            return
    since = datetime.fromisoformat(ctx.state["asked_at"]) - timedelta(minutes=5)

    def new_restart() -> Event | None:
        events = api.events.list(service.render_id, start=since, type="server_restarted")
        return next((event for event in events if event.id not in ctx.state["known"]), None)

    if RENDER.until(ctx, new_restart, LONG_LOOKS) is None:
        raise ProviderError(
            f"Render was asked once and its answer was lost; it shows no restart of {service.name} so far. Look at its "
            f"events before you request it again: {service.dashboard_url}"
        )
    ctx.result(service=service.name)


def scale(ctx: StepContext) -> None:
    wanted = int(ctx.parameters["instances"])
    set_here(
        ctx,
        lambda seen: seen.instances == wanted,
        lambda services, render_id: services.scale(render_id, wanted),
        f"{wanted} instances",
        instances=wanted,
    )


def suspend(ctx: StepContext) -> None:
    set_here(ctx, lambda seen: seen.suspended, Services.suspend, "suspension", suspended=True)


def resume(ctx: StepContext) -> None:
    set_here(ctx, lambda seen: not seen.suspended, Services.resume, "resuming", suspended=False)


class Restart(ServiceKind):
    name, label, permission = "deployments.restart", "Restart", "deployments.maintain"
    about = "Restarts a service with the same version and variables."
    risk, restores_service = Risk.ROUTINE, True
    exclusive = "restart:{service}"  # a deploy that hangs must not hold it up
    steps = [step("restart", restart, pool="urgent")]

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        if service.type in ("static_site", "cron_job"):
            raise Refused(f"{service.name} has no instance to restart. Nothing was requested.")
        return parameters

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [
            Consequence(f"{name_of(parameters['service'])} starts anew from the same build, one instance at a time.")
        ]


class Scale(ServiceKind):
    name, label, permission = "deployments.scale", "Scale", "deployments.maintain"
    about = "Changes how many instances of a service run; each one costs."
    risk = Risk.SENSITIVE
    steps = [step("scale", scale, pool="deploy")]
    parameters = [SERVICE, Parameter("instances", "Instances", help="1 to 100. To stop a service, suspend it.")]
    subject = "{service} to {instances}"

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        wanted = str(parameters["instances"])
        if service.instances is None:
            raise Refused(f"{service.name} has no instances to scale. Nothing was requested.")
        if not wanted.isdecimal() or not 1 <= int(wanted) <= 100:
            raise Refused("instances is 1 to 100; to stop a service, suspend it. Nothing was requested.")
        if (service.settings.get("autoscaling") or {}).get("enabled"):
            raise Refused(f"{service.name} scales by itself; Render would ignore this. Nothing was requested.")
        return parameters

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        now = Service.objects.get(render_id=parameters["service"]).instances
        return [Consequence(f"{name_of(parameters['service'])}: {now} → {parameters['instances']} instances.", "warn")]


class Suspend(ServiceKind):
    name, label, permission = "deployments.suspend", "Suspend", "deployments.maintain"
    about = "Stops a service: nobody is served until it is resumed."
    risk = Risk.DESTRUCTIVE
    steps = [step("suspend", suspend, pool="urgent")]

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [
            Consequence(f"{name_of(parameters['service'])} stops answering at once, until it is resumed.", "bad"),
            Consequence("Nothing is deleted: builds, variables and settings stay.", "ok"),
        ]


class Resume(ServiceKind):
    name, label, permission = "deployments.resume", "Resume", "deployments.maintain"
    about = "Starts a suspended service again."
    risk, restores_service = Risk.ROUTINE, True
    steps = [step("resume", resume, pool="urgent")]

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [Consequence(f"{name_of(parameters['service'])} is started again with its last build.", "ok")]


def purge(ctx: StepContext) -> None:
    api, service = here(ctx)
    api.services.purge_cache(service.render_id)
    ctx.result(service=service.name)


class PurgeCache(ServiceKind):
    name, label, permission = "deployments.purge_cache", "Purge the edge cache", "deployments.configure"
    about = "Empties Render's edge cache of a service; the next visitors wait a little longer."
    risk = Risk.ROUTINE
    steps = [step("purge", purge, pool="deploy")]

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [Consequence("Visitors are served from the origin until the cache is warm again.", "warn")]
