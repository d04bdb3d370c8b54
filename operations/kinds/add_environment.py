"""`environments.add`: one more environment, asked of the portal, judged by the strictest that it could lead to."""

from __future__ import annotations

from django.db import transaction

from operations import audit as operations_audit
from operations.engine.claim import lock
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.kinds.environment_fields import (
    EMPTY,
    SETTINGS,
    changed,
    label_of,
    met,
    parameters,
    text_of,
    values_of,
    whose,
)
from operations.models import Environment, Risk
from providers.errors import Refused

NAMED = ("slug", "kind")


def add(ctx: StepContext) -> None:
    """The row, its ledger entry and the message to the approvers, or none of them."""
    made = _made(ctx.parameters)
    met(made)
    with transaction.atomic():
        lock(ctx.lease)
        made.save()
        by = ctx.operation.requested_by.username
        operations_audit.note(None, made, by=by)
        operations_audit.tell_approvers(made, f"{made} was added by {by}", _lines(ctx.parameters))
    ctx.result(environment=made.slug)


class AddEnvironment(OperationKind):
    name, label, permission = "environments.add", "Add an environment", "operations.add_environment"
    about = "Makes an environment known: its database, project, address and votes."
    step_up = True
    risk = Risk.SENSITIVE
    exclusive = "environments"
    subject = "{slug}"
    steps = [step("add", add, pool="urgent", deadline=120)]
    parameters: list[Parameter] = parameters((*NAMED, *SETTINGS), required=("slug", "name", "kind"))

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        if environment.kind != Environment.Kind.PORTAL:
            raise Refused(
                "Environments are added to the portal. Nothing was requested. Ask for it on the environment portal."
            )
        if parameters["kind"] not in ("production", "staging", "preview"):
            raise Refused("kind is production, staging or preview. Nothing was requested.")
        made = _made(parameters)
        met(made)
        given = {name: text_of(name, getattr(made, name)) for name in (*NAMED, *SETTINGS) if name in parameters}
        return {name: text for name, text in given.items() if text != EMPTY}

    def assess(self, environment: Environment, parameters: Parameters) -> str:
        """A second name for a known database is as grave as what can be done there."""
        made = _made(parameters)
        if whose(made, met(made)):
            return Risk.DESTRUCTIVE
        return Risk.SENSITIVE if Environment.objects.filter(protected=True).exists() else Risk.ROUTINE

    def reaches(self, environment: Environment, parameters: Parameters) -> list[Environment]:
        """Those whose database answers behind its variables; where nobody answers here it could be any."""
        made = _made(parameters)
        found = met(made)
        return whose(made, found) if found else list(Environment.objects.of_the_product())

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        made = _made(parameters)
        found = met(made)
        alike = whose(made, found)
        lines = [Consequence(line) for line in _lines(parameters)]
        lines += [Consequence(f"Behind its variables answers {identity}.", "ok") for identity in found]
        lines += [Consequence(f"That is the database of {other}, whose votes count too.", "bad") for other in alike]
        if not found:
            lines.append(Consequence("None of its variables is set here: whose database it is shows later.", "warn"))
        return lines

    def confirm_text(self, environment: Environment, parameters: Parameters) -> str:
        return self.describe(parameters)


def _made(parameters: Parameters) -> Environment:
    return changed(Environment(), values_of(parameters))


def _lines(parameters: Parameters) -> list[str]:
    more = sorted({name: text for name, text in parameters.items() if name not in ("name", "slug", "kind")}.items())
    added = "The environment {name} is added; commands call it {slug}, and it is of the kind {kind}."
    return [added.format(**parameters), *(f"{label_of(name)}: {text}." for name, text in more)]
