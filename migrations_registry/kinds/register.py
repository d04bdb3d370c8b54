"""`migrations.register`: a worker reads a Git repository at a commit and registers the migrations it holds."""

from __future__ import annotations

from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import discover
from migrations_registry.sources.reader import read_repository
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers import git
from providers.errors import Refused

SECONDS = 120.0


def read(ctx: StepContext) -> None:
    """Register what is new; what was refused is in the log, as it is told by the command."""
    repository = str(ctx.parameters["repository"])
    migrations, rejected = discover(read_repository(repository, seconds=SECONDS))
    for file in rejected:
        ctx.log(f"{file.path}:{file.line}: refused: {file.reason}. It was not registered.")
    if not migrations and not rejected:
        raise Refused(
            "Nothing in it is called schema_*.sql, migration_NN_*.sql or supabase/migrations/<time>_name.sql. "
            "Nothing was registered."
        )
    by = ctx.operation.requested_by.username
    made = register_files(migrations, source=repository, by=by, environment=ctx.environment.slug)
    for row in made:
        ctx.log(f"registered {row.path} {row.sha256[:12]}: {row.risk}")
    ctx.result(registered=len(made), known=len(migrations) - len(made), refused=len(rejected))


class Register(OperationKind):
    name = "migrations.register"
    about = "Reads the migrations of a repository, so that they can be reviewed."
    label = "Register the migrations of a repository"
    permission = "migrations_registry.register_migrationfile"
    risk = Risk.ROUTINE
    exclusive = "register:{environment}"
    steps = [step("read", read, pool="deploy", deadline=300, stall=200)]
    parameters = [Parameter("repository", "Git repository", help="https://…, with @commit, @branch or @tag.")]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        repository = str(parameters["repository"]).strip()
        git.check_form(repository)
        return {"repository": repository}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [
            Consequence("A worker reads this commit; each new content of a migration becomes a row.", "ok"),
            Consequence("No SQL is run, on no database.", "ok"),
        ]
