"""Set or delete one environment variable, never the list: Render's list PUT replaces everything.

The value is a secret parameter: sealed at the request, opened only by the step, or named as a variable of the worker.
"""

from __future__ import annotations

import os
import re
from typing import Any

from django.db.models import QuerySet

from deployments.kinds.base import SERVICE, ServiceKind, here, name_of
from deployments.models import Service
from deployments.render.at_most_once import RENDER
from deployments.variables import fingerprints, parity
from operations.engine.context import StepContext
from operations.engine.specs import Block, Consequence, Fact, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers.errors import Refused
from providers.render import Render

WORKER_PREFIX = "OPS_VALUE_"


def refuse_changed(ctx: StepContext, rows: QuerySet[Any], key: str, now: str | None, wanted: str | None) -> None:
    """Raises Refused where what Render has is not what it had when this was asked, as far as that was read: nobody was
    asked about that value. `rows`: what is known of such values; None: there is none."""
    if ctx.state.get("asked_at") or now in (None, wanted):
        return
    then, asked_at = rows.filter(changed_at__lte=ctx.operation.requested_at), ctx.operation.requested_at
    as_read = rows.filter(key=key, fingerprint=fingerprints.fingerprint(str(now)), changed_at__lte=asked_at)
    if then.exists() and not as_read.exists():
        raise Refused(
            f"{key} was set at Render since this was asked; that value would be lost unseen. Nothing was changed. "
            "Look who set it, and request this again if it is still wanted."
        )


def _refuse_changed(ctx: StepContext, api: Render, service: Service, wanted: str | None) -> None:
    key, rows = ctx.parameters["key"], service.variables.filter(kind="variable")
    now = {variable.key: variable.value for variable in api.env_vars.list(service.render_id)}
    try:
        refuse_changed(ctx, rows, key, now.get(key), wanted)
    except Refused:
        fingerprints.note(service, key, now[key])  # for whoever asks again
        raise


def set_variable(ctx: StepContext) -> None:
    """Set it once and read it back; the value is neither logged nor stored."""
    api, service = here(ctx)
    key, value = ctx.parameters["key"], given_value(ctx)
    _refuse_changed(ctx, api, service, value)

    RENDER.brought_about(
        ctx,
        lambda: any(var.key == key and var.value == value for var in api.env_vars.list(service.render_id)) or None,
        lambda: api.env_vars.set(service.render_id, key, value),
        f"Render does not show the new value of {key} on {service.name}. Look at its dashboard.",
    )
    fingerprints.note(service, key, value)
    ctx.result(service=service.name, key=key, takes_effect="with the next deploy")


def given_value(ctx: StepContext) -> str:
    """The value in clear, from the request or from the worker's variable. Raises Refused."""
    named = ctx.parameters.get("worker_variable")
    if not named:
        return ctx.secret("value")
    if named not in os.environ:
        raise Refused(f"This worker has no variable {named}. Nothing was changed.")
    return os.environ[named]


def delete_variable(ctx: StepContext) -> None:
    api, service = here(ctx)
    key = ctx.parameters["key"]
    _refuse_changed(ctx, api, service, None)

    RENDER.brought_about(
        ctx,
        lambda: all(var.key != key for var in api.env_vars.list(service.render_id)) or None,
        lambda: api.env_vars.delete(service.render_id, key),
        f"Render still shows {key} on {service.name}. Look at its dashboard.",
    )
    service.variables.filter(kind="variable", key=key).delete()
    ctx.result(service=service.name, key=key, takes_effect="with the next deploy")


def check_key(parameters: Parameters) -> None:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,199}", str(parameters["key"])):
        raise Refused("The name is letters, digits and _. Nothing was requested.")


def check_value(parameters: Parameters) -> None:
    """The value is given, or the worker has it; never both. Raises Refused."""
    named = str(parameters.get("worker_variable", ""))
    if bool(parameters.get("value")) == bool(named):
        raise Refused("Give either the value or the name of a worker's variable. Nothing was requested.")
    if named and not re.fullmatch(WORKER_PREFIX + r"[A-Z0-9_]{1,80}", named):
        raise Refused(f"The worker's variable begins with {WORKER_PREFIX}. Nothing was requested.")


VALUE = Parameter("value", "Value", required=False, secret=True, help="Sealed at once; nobody can read it again here.")
WORKER_VARIABLE = Parameter(
    "worker_variable", "Or a variable of the worker", required=False, help=f"Begins with {WORKER_PREFIX}."
)


class VariableKind(ServiceKind):
    permission = "deployments.configure"
    risk = Risk.SENSITIVE
    subject = "{service} {key}"

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        check_key(parameters)
        return parameters

    def shown(self, environment: Environment, parameters: Parameters) -> list[Fact | Block]:
        service = Service.objects.get(render_id=parameters["service"])
        known = service.variables.filter(key=parameters["key"]).first()
        unset = "not set" if service.variables.exists() else "not known: nothing of it was read yet"
        now = f"set, seen {known.seen_at:%Y-%m-%d %H:%M} UTC" if known else unset
        lost = Fact("Will be lost", "the value it has now: nobody here can read it back", tone="bad")
        return [
            Fact("Variable", f"{parameters['key']} of {service.name}"),
            Fact("Now", now),
            *([lost] if known else []),
        ]


class SetVariable(VariableKind):
    name, label = "deployments.set_variable", "Set a variable"
    about = "Sets a variable of one service; it counts from its next deploy."
    steps = [step("set", set_variable, pool="deploy")]
    parameters = [SERVICE, Parameter("key", "Name"), VALUE, WORKER_VARIABLE]

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        check_value(parameters)
        if parity.rule_of(str(parameters["key"]), service.type) == parity.Rule.FORBIDDEN:
            raise Refused(
                f"{parameters['key']} must never be on {service.name}: visitors could read it. Nothing was requested."
            )
        return super().clean_for(service, parameters)

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        service = Service.objects.get(render_id=parameters["service"])
        known = service.variables.filter(key=parameters["key"]).exists()
        return [
            Consequence(
                f"{parameters['key']} of {service.name} is {'replaced' if known else 'added'}; no other one is touched."
            ),
            Consequence("It takes effect with the next deploy.", "warn"),
        ]


class DeleteVariable(VariableKind):
    name, label = "deployments.delete_variable", "Delete a variable"
    about = "Takes a variable from a service; it is gone at the next deploy."
    steps = [step("delete", delete_variable, pool="deploy")]
    parameters = [SERVICE, Parameter("key", "Name")]

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        name = name_of(parameters["service"])
        return [Consequence(f"{parameters['key']} of {name} is gone for good: nobody here knows its value.", "bad")]
