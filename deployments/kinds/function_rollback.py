"""Put a kept version of an edge function back, also after it was deleted; delete one."""

from __future__ import annotations

from deployments.functions import bundles, source_archive
from deployments.functions.removal import mark_removed
from deployments.kinds.functions import (
    SUPABASE,
    FunctionKind,
    confirm,
    find_function,
    functions_here,
    keep_live,
    live,
    replace,
)
from deployments.models import FunctionBundle, FunctionVersion
from operations.engine.context import StepContext
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from operations.supabase_projects import ref_of, supabase
from providers.errors import Refused
from providers.supabase import Function, Supabase


def version_of(environment: Environment, parameters: Parameters) -> FunctionVersion:
    """The version to go back to, with a bundle whose bytes are intact. Raises Refused."""
    function = find_function(environment, str(parameters["function"]), removed=True)
    rows = function.versions.select_related("bundle", "source", "function")
    wanted = str(parameters["version"])
    row = rows.filter(version=int(wanted)).first() if wanted.isdecimal() else None
    if row is None or row.kept is None:
        known = ", ".join(str(row.version) for row in rows if row.kept) or "none"
        raise Refused(f"Version {wanted} of {function.slug} is not kept here. Nothing was requested. Kept: {known}.")
    bundles.checked(row.kept)
    return row


def send_back(ctx: StepContext) -> None:
    row = version_of(ctx.environment, ctx.parameters)
    bundle, ref = row.kept, ref_of(ctx.environment)
    assert bundle is not None  # noqa: S101 (version_of refuses it)

    def send(api: Supabase) -> Function:
        if bundle.kind == FunctionBundle.Kind.FILES:
            files = source_archive.unpack(bytes(bundle.content))
            return api.functions.deploy(
                ref, row.function.slug, files, entrypoint=row.entrypoint, verify_jwt=row.verify_jwt
            )
        put = api.functions.put_bundle if live(api, ctx) else api.functions.create_from_bundle
        return put(ref, row.function.slug, bytes(bundle.content), entrypoint=row.entrypoint, verify_jwt=row.verify_jwt)

    replace(ctx, send, row.source)


class FunctionRollback(FunctionKind):
    name, label, permission = "deployments.function_rollback", "Put a function's version back", "deployments.rollback"
    about = "Puts an earlier version of an edge function back."
    risk, restores_service = Risk.ROUTINE, True
    steps = [
        step("keep", keep_live, pool="urgent"),
        step("send", send_back, pool="urgent"),
        step("confirm", confirm, pool="urgent"),
    ]
    parameters = [Parameter("function", "Function", choices=functions_here), Parameter("version", "Version")]
    subject = "{function} to version {version}"

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        parameters = super().clean(environment, parameters)
        row = version_of(environment, parameters)
        if row.version == row.function.version and row.function.removed_at is None:
            raise Refused(f"Version {row.version} of {row.function.slug} is what runs. Nothing was requested.")
        return parameters

    def assess(self, environment: Environment, parameters: Parameters) -> str:
        """Alone at night, except where it would let anybody call what needs a token now."""
        row = version_of(environment, parameters)
        return Risk.SENSITIVE if row.function.verify_jwt and not row.verify_jwt else Risk.ROUTINE

    def content(self, environment: Environment, parameters: Parameters) -> bytes:
        bundle = version_of(environment, parameters).kept
        return bundle.sha256.encode() if bundle else b""

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        row = version_of(environment, parameters)
        lines = [
            Consequence(f"{row.function.slug} runs again what version {row.version} ran; its number goes up."),
            Consequence("Secrets and the database stay as they are.", "warn"),
        ]
        if row.function.verify_jwt and not row.verify_jwt:
            lines.append(Consequence("That version may be called by anybody, without a token.", "bad"))
        return lines


def delete(ctx: StepContext) -> None:
    api, slug = supabase(), ctx.parameters["function"]

    def gone() -> bool | None:
        return live(api, ctx) is None or None

    otherwise = f"Supabase still shows {slug}. Look at its dashboard, then request it again."
    SUPABASE.brought_about(ctx, gone, lambda: api.functions.delete(ref_of(ctx.environment), slug), otherwise)
    mark_removed(ctx.environment, slug, str(ctx.operation.requested_by))
    ctx.result(function=slug, deleted=True)


class FunctionDelete(FunctionKind):
    name, label = "deployments.function_delete", "Delete an edge function"
    about = "Deletes an edge function; whoever calls it fails at once."
    steps = [step("keep", keep_live, pool="deploy"), step("delete", delete, pool="deploy")]
    parameters = [
        Parameter("function", "Function", choices=functions_here),
        Parameter("typed", "Type its name", help="Its callers fail at once."),
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        parameters = super().clean(environment, parameters)
        row = find_function(environment, str(parameters["function"]))
        if parameters["typed"] != row.slug:
            raise Refused(f"Type {row.slug} exactly. Nothing was requested.")
        return parameters

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [
            Consequence(f"Whoever calls {parameters['function']} gets an error at once.", "bad"),
            Consequence("What runs now is kept first and can be put back.", "ok"),
        ]
