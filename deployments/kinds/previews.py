"""Until when a preview stays, and what happens then: a reminder, or the preview is deleted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from deployments.kinds.base import ServiceKind, find_service, here, name_of
from deployments.models import Service, named
from deployments.render.at_most_once import RENDER
from operations.engine.context import StepContext
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from operations.periodic.clock import database_time
from providers.errors import Refused
from providers.http.errors import NotFound

MOST_DAYS = 365
ENDINGS = [(str(value), str(label)) for value, label in Service.Ending.choices]


def previews_here(environment: Environment) -> Iterable[tuple[str, str]]:
    previews = Service.objects.filter(environment=environment, removed_at=None).exclude(parent_render_id="")
    return [(service.render_id, service.name) for service in previews]


def set_expiry(ctx: StepContext) -> None:
    service = find_service(ctx.environment, ctx.parameters["service"])
    until, ending = ends_at(ctx.parameters["until"]), ctx.parameters["then"]
    Service.objects.filter(pk=service.pk).update(preview_expires_at=until, preview_ending=ending, preview_ended_at=None)
    ctx.result(preview=service.name, until=until.isoformat(), then=ending)


def ends_at(text: str) -> datetime:
    """The end of that day, UTC. Raises Refused."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise Refused("until is a day, as in 2026-12-31. Nothing was requested.") from None
    return day + timedelta(days=1)


class KeepPreview(ServiceKind):
    name, label, permission = "deployments.keep_preview", "Keep a preview until", "deployments.configure"
    about = "Keeps a preview up to a day, then suspends or deletes it."
    risk = Risk.ROUTINE
    exclusive = "keep:{service}"
    subject = "{service} until {until}, then {then}"
    steps = [step("keep", set_expiry, pool="deploy")]
    parameters = [
        Parameter("service", "Preview", choices=previews_here, named=named.service),
        Parameter("until", "Until", help=f"A day, as in 2026-12-31; at most {MOST_DAYS} days from now."),
        Parameter("then", "Then", choices=lambda _: ENDINGS),
    ]

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        if not service.is_preview:
            raise Refused(f"{service.name} is no preview: it has no end. Nothing was requested.")
        if parameters["then"] not in dict(ENDINGS):
            raise Refused("then is remind or delete. Nothing was requested.")
        until, now = ends_at(str(parameters["until"])), database_time()
        if not now < until <= now + timedelta(days=MOST_DAYS + 1):
            raise Refused(f"until is today or later, and at most {MOST_DAYS} days from now. Nothing was requested.")
        return parameters

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        name, day = name_of(parameters["service"]), parameters["until"]
        lines = [Consequence(f"{name} stays until the end of {day}, UTC; nothing changes on Render now.", "ok")]
        if parameters["then"] == Service.Ending.DELETE:
            return [*lines, Consequence("Then a delete is requested: the preview and its address go for good.", "bad")]
        return [*lines, Consequence("Then a task reminds us; nothing is deleted by itself.", "ok")]


def delete_preview(ctx: StepContext) -> None:
    api, service = here(ctx)

    def gone() -> bool | None:
        try:
            api.services.get(service.render_id)
        except NotFound:
            return True
        return None

    otherwise = f"Render still lists {service.name}. Look at its dashboard; nothing else was touched."
    RENDER.brought_about(ctx, gone, lambda: api.services.delete(service.render_id), otherwise)
    ctx.result(service=service.name, deleted=True)


class DeletePreview(ServiceKind):
    name, label, permission = "deployments.delete_preview", "Delete a preview", "deployments.configure"
    about = "Deletes a preview and what runs in it."
    risk = Risk.SENSITIVE
    steps = [step("delete", delete_preview, pool="deploy")]
    parameters = [Parameter("service", "Preview", choices=previews_here, named=named.service)]

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        if not service.is_preview:
            raise Refused(f"{service.name} is no preview; services are not deleted from here. Nothing was requested.")
        return parameters

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [Consequence(f"The preview {name_of(parameters['service'])} and its address are gone for good.", "bad")]
