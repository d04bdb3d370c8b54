"""`migrations.register`: a worker reads a Git repository or an upload and registers the migrations it holds."""

from __future__ import annotations

from django.db import transaction

from migrations_registry.models import Upload
from migrations_registry.services import uploads
from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import CALLED, discover
from migrations_registry.sources.reader import Files, read_repository, read_upload
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers import git
from providers.errors import Refused

SECONDS = 120.0  # for the repository; 64 MB of short statements take ten minutes to judge


def read(ctx: StepContext) -> None:
    """Register what is new; what was refused is in the log, as it is told by the command."""
    if "registered" in ctx.operation.result:
        return  # an attempt before this one did, and was killed right after
    source, files = _source(ctx.parameters)
    migrations, rejected = discover(files)
    refused = [f"{file.path}:{file.line}: refused: {file.reason}. It was not registered." for file in rejected]
    for line in refused:
        ctx.log(line)
    if not migrations:
        raise Refused(" ".join(refused[:3]) or f"Nothing in it is called {CALLED}. Nothing was registered.")
    by = ctx.operation.requested_by.username
    with transaction.atomic():
        made = register_files(migrations, source=source, by=by, environment=ctx.environment.slug)
        Upload.objects.filter(pk=ctx.parameters.get("upload", 0)).update(content=None)
        only = {"migration": made[0].pk} if len(made) == 1 else {}
        ctx.result(registered=len(made), known=len(migrations) - len(made), refused=len(rejected), **only)
    for row in made:
        ctx.log(f"registered {row.path} {row.sha256[:12]}: {row.risk}")


def _source(parameters: Parameters) -> tuple[str, Files]:
    """What the rows name as their source, and the files in it. Raises Refused."""
    if repository := parameters.get("repository"):
        return repository, read_repository(repository, seconds=SECONDS)
    upload = uploads.read(parameters["upload"], parameters["sha256"])
    return f"upload {upload.name}", read_upload(upload.name, upload.data)


class Register(OperationKind):
    name = "migrations.register"
    about = "Reads the migrations of a repository or an upload, so that they can be reviewed."
    label = "Register migrations"
    permission = "migrations_registry.register_migrationfile"
    risk = Risk.ROUTINE
    asks_something = True
    exclusive = "register:{environment}"
    steps = [step("read", read, pool="deploy", deadline=1800, stall=900)]
    parameters = [
        Parameter("repository", "Git repository", required=False, help="https://…, with @commit, @branch or @tag."),
        Parameter("upload", "Upload", required=False, choices=uploads.choices, named=uploads.named),
        Parameter("sha256", required=False, worked_out=True),
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        repository, upload = (str(parameters.get(name, "")).strip() for name in ("repository", "upload"))
        if bool(repository) == bool(upload):
            raise Refused("Give a repository or an upload, one of the two. Nothing was requested.")
        if upload:
            row = uploads.find(upload)
            return {"upload": str(row.pk), "sha256": row.sha256}
        git.check_form(repository)
        return {"repository": repository}

    def describe(self, parameters: Parameters) -> str:
        return str(parameters.get("repository") or uploads.find(parameters["upload"]).name)

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        what = "upload" if "upload" in parameters else "commit"
        return [
            Consequence(f"A worker reads this {what}; each new content of a migration becomes a row.", "ok"),
            Consequence("No SQL is run, on no database.", "ok"),
        ]
