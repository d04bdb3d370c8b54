"""Maintenance mode: a verb of its own, and the two steps that restore and migration use (`maintenance_on`, `_off`).

Whoever switches it on says until when; the watchdog lifts it after that, and the page prints the one curl that does.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from deployments.kinds.base import WEB_SERVICE, ServiceKind, here, name_of
from deployments.models import Service
from deployments.render.at_most_once import ensure
from deployments.render.client import render
from operations.engine.context import StepContext
from operations.engine.kinds import register_step
from operations.engine.specs import Consequence, Parameter, Parameters, StepSpec, step
from operations.models import Environment, Risk, Status, Step
from operations.periodic.clock import database_time
from providers.counting import counted
from providers.errors import ProviderError, Refused
from providers.render import Render

DEFAULT_MINUTES = 30
STEP_MINUTES = 120


def lifting_curl(render_id: str) -> str:
    """The one command that lifts it without the portal."""
    body = '{"serviceDetails":{"maintenanceMode":{"enabled":false,"uri":""}}}'
    return (
        f'curl -X PATCH {settings.RENDER_API_BASE}/services/{render_id} -H "Authorization: Bearer $RENDER_API_KEY" '
        f"-H 'Content-Type: application/json' -d '{body}'"
    )


def switch(ctx: StepContext, api: Render, service: Service, on: bool) -> bool:
    """Switch it and read it back; True where it had to be written."""
    return ensure(
        ctx,
        api,
        service,
        lambda seen: seen.maintenance.enabled is on,
        lambda: api.services.set_maintenance(service.render_id, on),
        f"maintenance mode {'on' if on else 'off'}",
    )


def remember(service: Service, ctx: StepContext, minutes: int) -> None:
    """Until when it may stay on, for the watchdog."""
    until = database_time() + timedelta(minutes=minutes)
    Service.objects.filter(pk=service.pk).update(maintenance_until=until, maintenance_operation=ctx.operation.pk)


def forget(service: Service) -> None:
    """It was seen off; whoever closed the door since the row was read is left to open it."""
    as_read = {"maintenance_until": service.maintenance_until, "maintenance_operation": service.maintenance_operation}
    Service.objects.filter(pk=service.pk, **as_read).update(maintenance_until=None, maintenance_operation="")


def act(ctx: StepContext) -> None:
    api, service = here(ctx)
    on = ctx.parameters["state"] == "on"
    if on:
        remember(service, ctx, int(ctx.parameters.get("minutes") or DEFAULT_MINUTES))
    switch(ctx, api, service, on)
    if not on:
        forget(service)  # after it was seen: until then the watchdog still has to lift it
    ctx.log(f"maintenance mode of {service.name} is {ctx.parameters['state']}")
    ctx.result(service=service.name, maintenance=ctx.parameters["state"])


class Maintenance(ServiceKind):
    name, label, permission = "deployments.maintenance", "Maintenance mode", "deployments.maintain"
    about = "Shows visitors a maintenance page (503) instead of the service, or ends that."
    risk = Risk.ROUTINE
    restores_service = True
    exclusive = "maintenance:{service}"  # a deploy that hangs must not hold it up
    subject = "{service} {state}"
    steps = [step("switch", act, pool="urgent")]
    parameters = [
        WEB_SERVICE,
        Parameter("state", "State", choices=lambda _: [("on", "On"), ("off", "Off")]),
        Parameter("minutes", "Lift after minutes", required=False, help=f"Empty: {DEFAULT_MINUTES}."),
    ]

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        if not service.is_web:
            raise Refused(
                f"{service.name} is no web service; Render has no maintenance mode for it. Nothing was requested."
            )
        if parameters["state"] not in ("on", "off"):
            raise Refused("state is on or off. Nothing was requested.")
        minutes = str(parameters.get("minutes", DEFAULT_MINUTES))
        if not minutes.isdecimal() or not 1 <= int(minutes) <= 24 * 60:
            raise Refused("minutes is 1 to 1440. Nothing was requested.")
        return parameters

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        name = name_of(parameters["service"])
        if parameters["state"] == "off":
            lines = [Consequence(f"{name} answers its visitors again.", "ok")]
            if any(map(is_needed, Service.objects.filter(render_id=parameters["service"]))):
                lines.append(Consequence("An operation that is running counts on the closed door.", "bad"))
            return lines
        minutes = parameters.get("minutes", DEFAULT_MINUTES)
        return [
            Consequence(f"Every visitor of {name} sees Render's maintenance page (503).", "bad"),
            Consequence("Supabase's own REST and edge functions do not pass Render and go on.", "warn"),
            Consequence(f"It is lifted by itself after {counted(int(minutes), 'minute')}.", "ok"),
            Consequence(f"Without the portal: {lifting_curl(parameters['service'])}"),
        ]


def maintenance_on(ctx: StepContext) -> None:
    """Switch every web service of the environment into maintenance and journal which ones were switched."""
    services = list(
        Service.objects.filter(environment=ctx.environment, removed_at=None, type="web_service", is_self=False)
    )
    if not services:
        ctx.not_needed(f"{ctx.environment} has no web service on Render: there is no door to close.")
        return
    api = render()
    switched = set(ctx.state.get("switched", []))
    for service in services:
        if service.render_id not in switched and api.services.get(service.render_id).maintenance.enabled:
            ctx.state["found_on"] = sorted({*ctx.state.get("found_on", []), service.render_id})
            ctx.save_state()
            continue
        switched.add(service.render_id)
        ctx.state["switched"] = sorted(switched)
        ctx.save_state()
        remember(service, ctx, STEP_MINUTES)
        switch(ctx, api, service, True)
        ctx.log(f"{service.name} is in maintenance. Without the portal: {lifting_curl(service.render_id)}")


def is_needed(service: Service) -> bool:
    """Whether a running operation closed this door, or found it closed, and counts on it until it opens its own."""
    counted_on = Q(detail__switched__contains=[service.render_id]) | Q(detail__found_on__contains=[service.render_id])
    opens = Step.objects.filter(operation=OuterRef("operation"), name="maintenance_off", started_at__isnull=False)
    return Step.objects.filter(counted_on, ~Exists(opens), operation__status=Status.RUNNING).exists()


def maintenance_off(ctx: StepContext) -> None:
    """Lift what `maintenance_on` of the same operation switched on and nobody else has in hand since; what was on
    before stays on. What another operation counts on is left to the watchdog. Raises ProviderError after the last one
    where some could not be lifted."""
    switched = ctx.state_of("maintenance_on").get("switched", [])
    if not switched:
        ctx.not_needed()
    failed, ours = list[str](), Service.objects.filter(maintenance_operation=ctx.operation.pk, removed_at=None)
    for service in ours.filter(render_id__in=switched).order_by("?"):
        if is_needed(service):
            Service.objects.filter(pk=service.pk).update(maintenance_until=database_time(), maintenance_operation="")
            ctx.log(f"{service.name} stays closed: another operation counts on it. The portal opens it after that.")
            continue
        try:
            switch(ctx, render(), service, False)
        except ProviderError as error:  # keeps no other door closed
            failed.append(f"{service.name}: {error.message}")
            continue
        forget(service)
        ctx.log(f"{service.name} answers again")
    if failed:
        raise ProviderError(" ".join(failed))


def register_steps() -> None:
    register_step("maintenance_on", StepSpec("maintenance_on", maintenance_on, pool="urgent", deadline=300))
    register_step(
        "maintenance_off",
        StepSpec("maintenance_off", maintenance_off, pool="urgent", deadline=300, undoes="maintenance_on"),
    )
