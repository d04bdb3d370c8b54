"""`deployments.follow_environment`: count a service to the environment that Render itself has it in.

A service comes in by Render's projects, or by its name and branch; where Render moves it afterwards, a person decides,
by the votes of the stricter of both.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from deployments import workspace
from deployments.environment_group import group_of
from deployments.kinds.base import find_service, name_of
from deployments.models import Service, named
from ledger.services import record
from operations.accounts import RENDER
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.kinds.unasked_environment import seen as seen_environment
from operations.models import Environment, Risk
from providers.errors import Refused


def choices(environment: Environment) -> Iterable[tuple[str, str]]:
    return [
        (service.render_id, f"{service.name}: at Render in {name}")
        for service, name, _ in workspace.elsewhere()
        if service.environment_id == environment.pk
    ]


def target(render_id: str) -> tuple[str, str]:
    """Render's name of the environment, and the kind that it means. Raises Refused."""
    name = workspace.known().environments.get(render_id, "")
    if not name:
        raise Refused(f"Render has {name_of(render_id)} in no environment of a project. Nothing was requested.")
    return name, group_of(name, "", "").kind


def follow(ctx: StepContext) -> None:
    """Row and ledger entry, or neither."""
    service = find_service(ctx.environment, ctx.parameters["service"])
    name, kind = target(service.render_id)
    with transaction.atomic():
        place, _ = seen_environment(kind, name=kind.capitalize(), kind=kind, by=RENDER)
        Service.objects.filter(pk=service.pk).update(environment=place)
        changed = {"environment": [ctx.environment.slug, place.slug]}
        by, data = ctx.operation.requested_by.username, {"service": service.name, "changed": changed}
        record("deployments.settings_changed", actor=by, environment=place.slug, subject=service.name, data=data)
    ctx.result(service=service.name, environment=place.slug, at_render=name)


class FollowEnvironment(OperationKind):
    name, label, permission = (
        "deployments.follow_environment",
        "Count a service where Render has it",
        "deployments.change_service",
    )
    about = "Counts a service to the environment that Render itself has it in."
    risk = Risk.SENSITIVE
    exclusive = "service:{service}"
    steps = [step("follow", follow, pool="deploy")]
    parameters = [Parameter("service", "Service", choices=choices, named=named.service)]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        service = find_service(environment, str(parameters["service"]))
        if service.is_preview:
            raise Refused(f"{service.name} is a preview, which has an environment of its own. Nothing was requested.")
        name, kind = target(service.render_id)
        if kind == environment.kind:
            raise Refused(f"{service.name} is counted to {environment}, as at Render ({name}). Nothing was requested.")
        return {"service": service.render_id}

    def content(self, environment: Environment, parameters: Parameters) -> bytes:
        """Votes bind where it goes."""
        return " ".join(target(parameters["service"])).encode()

    def reaches(self, environment: Environment, parameters: Parameters) -> list[Environment]:
        return [environment, *Environment.objects.filter(kind=target(parameters["service"])[1])]

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        name, kind = target(parameters["service"])
        service = name_of(parameters["service"])
        return [
            Consequence(f"{service} is counted to {kind}, because Render has it in {name}.", "warn"),
            Consequence(f"What is asked of it is voted on, frozen and told as {kind}'s from then on.", "warn"),
            Consequence("Nothing is changed on Render.", "ok"),
        ]

    def describe(self, parameters: Parameters) -> str:
        return name_of(parameters["service"])
