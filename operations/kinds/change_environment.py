"""`environments.change`: other settings for an environment. To restrict is routine; to loosen or re-point is judged."""

from __future__ import annotations

import json

from django.db import transaction

from operations import audit as operations_audit
from operations.engine.claim import lock
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import FROM_PLAN, Consequence, Parameters, step
from operations.kinds.environment_fields import (
    CHANGEABLE,
    DSNS,
    SETTINGS,
    changed,
    met,
    parameters,
    text_of,
    told,
    values_of,
    whose,
)
from operations.models import Environment, Risk
from operations.models.environment_columns import SIGNED
from providers.errors import Refused


def change(ctx: StepContext) -> None:
    """The row, its ledger entry and the message to the approvers, or none of them."""
    with transaction.atomic():
        operation = lock(ctx.lease)
        before = Environment.objects.select_for_update().get(pk=ctx.environment.pk)
        after = changed(before, values_of(ctx.parameters))
        if repointed(before, after):
            met(after)
        Environment.objects.filter(pk=before.pk).update(**{name: getattr(after, name) for name in ctx.parameters})
        Environment.objects.sign([before.pk])
        by = operation.requested_by.username
        operations_audit.note(before, after, by=by)
        if operation.risk != Risk.ROUTINE:
            operations_audit.tell_approvers(after, f"{after} was changed by {by}", _lines(before, ctx.parameters))


class ChangeEnvironment(OperationKind):
    name, label, permission = "environments.change", "Change an environment", "operations.change_environment"
    about = "Changes an environment's settings, its votes or its freeze."
    step_up = True
    asks_something = True
    risk = FROM_PLAN
    protects = True  # whoever stops a restriction
    exclusive = "environment:{environment}"
    steps = [step("change", change, pool="urgent", deadline=120)]
    parameters = parameters(CHANGEABLE)

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        """Only what differs is asked for."""
        after = changed(environment, values_of(parameters))
        given = {name: text_of(name, getattr(after, name)) for name in parameters}
        if environment.was_altered:
            return given
        differing = {name: text for name, text in given.items() if text != text_of(name, getattr(environment, name))}
        if not differing:
            raise Refused(f"{environment} is like that already. Nothing was requested.")
        if environment.kind == Environment.Kind.PORTAL and set(differing) & {*DSNS, "supabase_ref"}:
            raise Refused("The portal's environment leads to the portal's own database. Nothing was requested.")
        return differing

    def content(self, environment: Environment, parameters: Parameters) -> bytes:
        """Votes bind what it was before, too; of a row that SQL changed all that becomes valid with it."""
        names = {*parameters, *(SIGNED if environment.was_altered else ())}
        return json.dumps({name: text_of(name, getattr(environment, name)) for name in sorted(names)}).encode()

    def assess(self, environment: Environment, parameters: Parameters) -> str:
        after = changed(environment, values_of(parameters))
        known = environment.identified or environment.supabase_ref
        if (
            environment.was_altered
            or operations_audit.weaker(environment, after)
            or (repointed(environment, after) and known)
        ):
            return Risk.DESTRUCTIVE
        return Risk.SENSITIVE if repointed(environment, after) or thawed(environment, after) else Risk.ROUTINE

    def reaches(self, environment: Environment, parameters: Parameters) -> list[Environment]:
        """Whose database it is and will be; where nobody answers here it could become any."""
        after = changed(environment, values_of(parameters))
        before = environment.of_one_database()
        if not set(DSNS) & set(parameters):
            return before
        found = met(after)
        return [*before, *(whose(after, found) if found else Environment.objects.of_the_product())]

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        after = changed(environment, values_of(parameters))
        lines = [Consequence(line) for line in _lines(environment, parameters)]
        if environment.was_altered:
            all_of_it = ", ".join(
                f"{name.replace('_', ' ')} {text_of(name, getattr(after, name))}" for name in SETTINGS
            )
            lines.append(
                Consequence(f"SQL changed its row past the portal. All of it becomes valid: {all_of_it}.", "bad")
            )
        lines += [Consequence(way, "bad") for way in operations_audit.weaker(environment, after)]
        if set(DSNS) & set(parameters):
            found = met(after)
            lines += [Consequence(f"Behind its variables answers {identity}.", "warn") for identity in found]
            lines += [Consequence(f"That is the database of {other}.", "bad") for other in whose(after, found)]
            lines.append(Consequence("Its database stays the recorded one; another needs environments.rebind.", "idle"))
        return lines

    def describe(self, parameters: Parameters) -> str:
        return ", ".join(name.replace("_", " ") for name in sorted(parameters))

    def confirm_text(self, environment: Environment, parameters: Parameters) -> str:
        return environment.slug


def repointed(before: Environment, after: Environment) -> bool:
    """Whether another variable or another project is meant."""
    return any(getattr(before, name) != getattr(after, name) for name in (*DSNS, "supabase_ref"))


def thawed(before: Environment, after: Environment) -> bool:
    """Whether a freeze that holds would end earlier."""
    if not before.own_freeze() or before.frozen_until is None:
        return False
    return after.frozen_until is None or after.frozen_until < before.frozen_until


def _lines(environment: Environment, parameters: Parameters) -> list[str]:
    was = {name: text_of(name, getattr(environment, name)) for name in parameters}
    return [told(name, was[name], text) for name, text in sorted(parameters.items())]
