"""Set or delete one secret file of a service, never the list. Its content is a secret parameter, as a value is."""

from __future__ import annotations

import re

from deployments.kinds.base import SERVICE, ServiceKind, here, name_of
from deployments.kinds.variables import WORKER_VARIABLE, check_value, given_value, refuse_changed
from deployments.models import Service
from deployments.render.at_most_once import RENDER
from deployments.variables import fingerprints
from operations.engine.context import StepContext
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers.errors import Refused
from providers.render import Render

CONTENT = Parameter(
    "value", "Content", required=False, secret=True, lines=True, help="Sealed at once; nobody can read it again here."
)
NAME = Parameter("name", "File", help="Its name at Render, such as gcp.json.")


def _refuse_changed(ctx: StepContext, api: Render, service: Service, wanted: str | None) -> None:
    now = {file.name: file.content for file in api.secret_files.list(service.render_id)}
    name, rows = ctx.parameters["name"], service.variables.filter(kind="file")
    try:
        refuse_changed(ctx, rows, name, now.get(name), wanted)
    except Refused:
        fingerprints.refresh(api, service)
        raise


def set_file(ctx: StepContext) -> None:
    """Set it once and read it back; the content is neither logged nor stored."""
    api, service = here(ctx)
    name, content = ctx.parameters["name"], given_value(ctx)
    _refuse_changed(ctx, api, service, content)

    def shown() -> bool | None:
        files = api.secret_files.list(service.render_id)
        return any(file.name == name and file.content == content for file in files) or None

    otherwise = f"Render does not show the new content of {name} on {service.name}. Look at its dashboard."
    RENDER.brought_about(ctx, shown, lambda: api.secret_files.set(service.render_id, name, content), otherwise)
    fingerprints.refresh(api, service)
    ctx.result(service=service.name, file=name, takes_effect="with the next deploy")


def delete_file(ctx: StepContext) -> None:
    api, service = here(ctx)
    name = ctx.parameters["name"]
    _refuse_changed(ctx, api, service, None)

    def gone() -> bool | None:
        return all(file.name != name for file in api.secret_files.list(service.render_id)) or None

    otherwise = f"Render still shows {name} on {service.name}. Look at its dashboard."
    RENDER.brought_about(ctx, gone, lambda: api.secret_files.delete(service.render_id, name), otherwise)
    service.variables.filter(kind="file", key=name).delete()
    ctx.result(service=service.name, file=name, takes_effect="with the next deploy")


class SecretFileKind(ServiceKind):
    permission = "deployments.configure"
    risk = Risk.SENSITIVE
    subject = "{service} {name}"

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}", str(parameters["name"])):
            raise Refused("The name is letters, digits, . _ and -. Nothing was requested.")
        if service.type == "static_site":
            raise Refused(f"{service.name} is a static site; visitors could read its files. Nothing was requested.")
        return parameters


class SetSecretFile(SecretFileKind):
    name, label = "deployments.set_secret_file", "Set a secret file"
    about = "Sets one secret file of a service and touches no other."
    steps = [step("set", set_file, pool="deploy")]
    parameters = [SERVICE, NAME, CONTENT, WORKER_VARIABLE]

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        check_value(parameters)
        return super().clean_for(service, parameters)

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        service, name = Service.objects.get(render_id=parameters["service"]), parameters["name"]
        known = service.variables.filter(kind="file", key=name).exists()
        return [
            Consequence(f"{name} of {service.name} is {'replaced' if known else 'added'}; no other one is touched."),
            Consequence("It takes effect with the next deploy.", "warn"),
        ]


class DeleteSecretFile(SecretFileKind):
    name, label = "deployments.delete_secret_file", "Delete a secret file"
    about = "Deletes one secret file of a service for good."
    steps = [step("delete", delete_file, pool="deploy")]
    parameters = [SERVICE, NAME]

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        where = name_of(parameters["service"])
        return [Consequence(f"{parameters['name']} of {where} is gone for good: nobody here knows its content.", "bad")]
