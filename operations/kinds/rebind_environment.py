"""`environments.rebind`: the database of an environment moved, and from now on another one is it."""

from __future__ import annotations

from django.db import transaction

from ledger.services import record
from operations import audit as operations_audit
from operations.databases import recorded
from operations.dsns import known_dsn, who_answers
from operations.engine.claim import lock
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.kinds.environment_fields import met, whose
from operations.models import Environment, Risk
from operations.models.environment import PURPOSES
from providers.errors import Refused
from providers.postgres.connection import address
from providers.postgres.identity import Identity

WANTED = "SERVER/OID/NAME"


def rebind(ctx: StepContext) -> None:
    """Record the approved database, if it is what answers here. Raises Refused where another one does."""
    environment, wanted = ctx.environment, parsed(str(ctx.parameters["database"]))
    found = {purpose: identity for purpose in PURPOSES if (identity := who_answers(environment, purpose))}
    if not found or set(found.values()) != {wanted}:
        said = ", ".join(f"{environment.variable(purpose)} leads to {identity}" for purpose, identity in found.items())
        said = said or "nobody answers here"
        raise Refused(f"{wanted} was approved; {said}. {environment} stays {recorded(environment)}.")
    with transaction.atomic():
        lock(ctx.lease)
        before = recorded(environment)
        environment.system_identifier, environment.database_oid = wanted.key
        environment.database_name = wanted.database_name
        environment.addresses = {purpose: [address(known_dsn(environment, purpose))] for purpose in found}
        names = ("system_identifier", "database_oid", "database_name", "addresses")
        Environment.objects.filter(pk=environment.pk).update(**{name: getattr(environment, name) for name in names})
        line = f"It was {before} and is {wanted}."
        operations_audit.tell_approvers(environment, f"{environment} is another database now", [line])
        record(
            "operations.environment.rebound",
            actor=ctx.operation.requested_by.username,
            environment=environment.slug,
            subject=environment.slug,
            data={"before": str(before), "now": str(wanted), "operation": ctx.operation.pk},
        )
    ctx.result(database=str(wanted))


class RebindEnvironment(OperationKind):
    """Judged by whoever's database it was and will be."""

    name, label, permission = "environments.rebind", "Move to another database", "operations.change_environment"
    about = "Accepts that an environment's database is another one from now on."
    step_up = True
    risk, needs_reason = Risk.DESTRUCTIVE, True
    exclusive = "schema:{environment}"
    steps = [step("rebind", rebind, pool="export", deadline=120)]
    parameters = [
        Parameter("database", "Database", required=False, help=f"{WANTED}; empty: the one that answers here now.")
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        before = recorded(environment)
        if before is None:
            raise Refused(f"No database of {environment} is recorded yet; the first connection does that.")
        wanted = parsed(str(parameters["database"])) if "database" in parameters else _answering(environment)
        if wanted == before:
            raise Refused(f"{environment} is {before} already. Nothing was requested.")
        return {"database": f"{wanted.system_identifier}/{wanted.database_oid}/{wanted.database_name}"}

    def reaches(self, environment: Environment, parameters: Parameters) -> list[Environment]:
        return [*environment.of_one_database(), *whose(environment, [parsed(str(parameters["database"]))])]

    def content(self, environment: Environment, parameters: Parameters) -> bytes:
        """Votes bind where it comes from, too."""
        return str(recorded(environment)).encode()

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        wanted = parsed(str(parameters["database"]))
        lines = [
            Consequence(f"{environment} is {recorded(environment)} now.", "idle"),
            Consequence(f"From then on it is {wanted}, and every act goes there.", "bad"),
            Consequence("Requests that wait were asked for the old one: they end, and are asked again.", "warn"),
        ]
        alike = [other for other in whose(environment, [wanted]) if other.pk != environment.pk]
        return [*lines, *(Consequence(f"That is the database of {other}.", "bad") for other in alike)]

    def confirm_text(self, environment: Environment, parameters: Parameters) -> str:
        return environment.slug


def parsed(text: str) -> Identity:
    """Raises Refused unless it names server, oid and database."""
    server, _, rest = text.partition("/")
    oid, _, name = rest.partition("/")
    if not (server.isdecimal() and oid.isdecimal() and name):
        raise Refused(f"database is {WANTED}, as the doctor shows who answers. Nothing was requested.")
    return Identity(server, int(oid), name)


def _answering(environment: Environment) -> Identity:
    found = met(environment)
    if len(found) != 1:
        said = ", ".join(map(str, found)) or "nobody answers here"
        raise Refused(f"Which database is meant? {said}. Nothing was requested; give it as {WANTED}.")
    return found[0]
