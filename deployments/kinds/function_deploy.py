"""Deploy an edge function from a bundle of source files that is kept here."""

from __future__ import annotations

from deployments.functions import bundles, source_archive
from deployments.kinds.functions import FunctionKind, confirm, keep_live, replace
from deployments.models import EdgeFunction, FunctionBundle, named
from operations.engine.context import StepContext
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment
from operations.supabase_projects import ref_of
from providers.errors import Refused


def send_files(ctx: StepContext) -> None:
    given = ctx.parameters
    source = bundles.find_bundle(given["function"], given["bundle"])
    files = source_archive.unpack(bytes(source.content))
    replace(
        ctx,
        lambda api: api.functions.deploy(
            ref_of(ctx.environment),
            given["function"],
            files,
            entrypoint=given["entrypoint"],
            verify_jwt=given["verify_jwt"] == "yes",
        ),
        source,
    )


class FunctionDeploy(FunctionKind):
    name, label = "deployments.function_deploy", "Deploy an edge function"
    about = "Puts a kept bundle of an edge function live."
    allowed_in_freeze = False
    steps = [
        step("keep", keep_live, pool="deploy"),
        step("send", send_files, pool="deploy"),
        step("confirm", confirm, pool="deploy"),
    ]
    parameters = [
        Parameter("function", "Function"),
        Parameter(
            "bundle",
            "Bundle",
            help="SHA-256 of a kept bundle (its first 8 digits are enough).",
            named=named.bundle,
        ),
        Parameter("entrypoint", "Entry point", required=False, help="Empty: index.ts or the like."),
        Parameter(
            "verify_jwt",
            "Only with a token",
            required=False,
            choices=lambda _: [("yes", "Yes"), ("no", "No, anybody may call it")],
        ),
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        parameters = super().clean(environment, parameters)
        bundle = bundles.find_bundle(parameters["function"], str(parameters["bundle"]))
        if bundle.kind != FunctionBundle.Kind.FILES:
            raise Refused("This bundle is Supabase's own form of a version; request deployments.function_rollback.")
        jwt = str(parameters.get("verify_jwt") or "yes")
        if jwt not in ("yes", "no"):
            raise Refused("verify_jwt is yes or no. Nothing was requested.")
        entry = source_archive.entrypoint([path for path, _ in bundle.files], str(parameters.get("entrypoint") or ""))
        return {**parameters, "bundle": bundle.sha256, "entrypoint": entry, "verify_jwt": jwt}

    def content(self, environment: Environment, parameters: Parameters) -> bytes:
        return bundles.find_bundle(parameters["function"], parameters["bundle"]).sha256.encode()

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        bundle = bundles.find_bundle(parameters["function"], parameters["bundle"])
        now = EdgeFunction.objects.filter(environment=environment, slug=parameters["function"], removed_at=None).first()
        first = f"Version {now.version} of {now.slug} is replaced" if now else f"{parameters['function']} is created"
        lines = [
            Consequence(f"{first} by {len(bundle.files)} files, {bundle.size_bytes} bytes, {bundle.sha256[:12]}."),
            Consequence("What runs now is kept first and can be put back.", "ok"),
        ]
        if parameters["verify_jwt"] == "no":
            lines.append(Consequence("Anybody on the internet may call it without a token.", "bad"))
        return lines

    def describe(self, parameters: Parameters) -> str:
        return f"{parameters['function']} {str(parameters['bundle'])[:12]}"
