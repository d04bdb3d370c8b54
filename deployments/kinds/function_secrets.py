"""Set or delete one secret of a project's edge functions; only names are ever shown.

The value is a secret parameter: sealed at the request, opened only by the step, or named as a variable of the worker.
"""

from __future__ import annotations

import re

from deployments.functions.sync import store_secrets
from deployments.kinds.functions import SUPABASE
from deployments.kinds.variables import WORKER_PREFIX, given_value
from deployments.models import EdgeSecret
from operations.engine.at_most_once import answered
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from operations.supabase_projects import ref_of, supabase
from providers.errors import ProviderError, Refused
from providers.supabase import Secret
from providers.supabase.functions import RESERVED


def _shown(ctx: StepContext) -> Secret | None:
    secrets = supabase().secrets.list(ref_of(ctx.environment))
    return next((secret for secret in secrets if secret.name == ctx.parameters["name"]), None)


def set_secret(ctx: StepContext) -> None:
    """Set it once; the API never shows a value, so a lost answer is looked up by the time of the change."""
    api, name, value = supabase(), ctx.parameters["name"], given_value(ctx)

    if not ctx.state.get("asked_at"):
        ctx.state["before"] = _stamp(ctx)
        ctx.state["answered"] = answered(ctx, lambda: api.secrets.set(ref_of(ctx.environment), {name: value}))

    def changed() -> bool | None:
        now = _stamp(ctx)
        return True if now and (ctx.state["answered"] or now != ctx.state["before"]) else None

    if SUPABASE.until(ctx, changed) is None:
        raise ProviderError(f"Supabase does not show the secret {name}. Look at its dashboard, then request it again.")
    store_secrets(api, ctx.environment)
    ctx.result(name=name, takes_effect="at the functions' next start")


def _stamp(ctx: StepContext) -> str:
    """When the secret was changed last; "" where there is none."""
    seen = _shown(ctx)
    return "" if seen is None else str(seen.updated_at)


def delete_secret(ctx: StepContext) -> None:
    api, name = supabase(), ctx.parameters["name"]

    def gone() -> bool | None:
        return _shown(ctx) is None or None

    otherwise = f"Supabase still shows the secret {name}. Look at its dashboard, then request it again."
    SUPABASE.brought_about(ctx, gone, lambda: api.secrets.delete(ref_of(ctx.environment), [name]), otherwise)
    EdgeSecret.objects.filter(environment=ctx.environment, name=name).delete()
    ctx.result(name=name, takes_effect="at the functions' next start")


class SecretKind(OperationKind):
    permission = "deployments.configure"
    risk = Risk.SENSITIVE
    connects = ("project",)
    exclusive = "secret:{environment}/{name}"
    subject = "{name}"

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        ref_of(environment)
        name = str(parameters["name"])
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,199}", name):
            raise Refused("The name is letters, digits and _. Nothing was requested.")
        if name.startswith(RESERVED):
            raise Refused(f"Names beginning with {RESERVED} are the platform's own. Nothing was requested.")
        return parameters


class SetSecret(SecretKind):
    name, label = "deployments.function_secret_set", "Set a secret of edge functions"
    about = "Sets a secret that the project's edge functions read."
    steps = [step("set", set_secret, pool="deploy")]
    parameters = [
        Parameter("name", "Name"),
        Parameter("value", "Value", required=False, secret=True, help="Sealed at once; nobody can read it again here."),
        Parameter(
            "worker_variable", "Or a variable of the worker", required=False, help=f"Begins with {WORKER_PREFIX}."
        ),
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        named = str(parameters.get("worker_variable", ""))
        if bool(parameters.get("value")) == bool(named):
            raise Refused("Give either the value or the name of a worker's variable. Nothing was requested.")
        if named and not re.fullmatch(WORKER_PREFIX + r"[A-Z0-9_]{1,80}", named):
            raise Refused(f"The worker's variable begins with {WORKER_PREFIX}. Nothing was requested.")
        return super().clean(environment, parameters)

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        known = EdgeSecret.objects.filter(environment=environment, name=parameters["name"]).exists()
        lines = [Consequence(f"{parameters['name']} is {'replaced' if known else 'added'}; no other one is touched.")]
        if known:
            lines.append(Consequence("The value before is gone for good: nobody here knows it.", "warn"))
        return lines


class DeleteSecret(SecretKind):
    name, label = "deployments.function_secret_delete", "Delete a secret of edge functions"
    about = "Deletes a secret that the project's edge functions read."
    steps = [step("delete", delete_secret, pool="deploy")]
    parameters = [
        Parameter(
            "name",
            "Name",
            choices=lambda environment: [
                (row.name, row.name) for row in EdgeSecret.objects.filter(environment=environment)
            ],
        )
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        parameters = super().clean(environment, parameters)
        names = list(EdgeSecret.objects.filter(environment=environment).values_list("name", flat=True))
        if parameters["name"] not in names:
            known = ", ".join(names) or "none; run sampelit-ops sync_functions"
            raise Refused(f"{environment} has no secret {parameters['name']}. Nothing was requested. Known: {known}.")
        return parameters

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [Consequence(f"{parameters['name']} is gone for good: nobody here knows its value.", "bad")]
