"""The acts of a path as they are stored and bound: what each was asked with, voted as, and promised to do.

In: legs of a way. Out: plain values for the operation's parameters; and, when an act's turn comes, Refused where it
would be more than people voted on.
"""

from __future__ import annotations

import hashlib
from typing import Any

from migrations_registry.models import Plan
from migrations_registry.models.applied import APPLY
from migrations_registry.path.way import Leg
from migrations_registry.services.planning import Review, review
from operations.engine import kinds
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Parameters, Part
from operations.models import Environment, Risk
from operations.models.ulid import new_ulid
from providers.errors import Refused

Act = dict[str, Any]


def asked(environment: Environment, leg: Leg) -> Act:
    """As if it were asked alone: every rule that can already speak. Raises Refused."""
    kind = kinds.get(leg.kind)
    cleaned = _checked(kind, environment, leg.parameters)
    return {
        "kind": leg.kind,
        "label": leg.label,
        "parameters": cleaned,
        "key": new_ulid(),
        "risk": kind.assess(environment, cleaned),
        "content_sha256": digest(environment, leg.kind, cleaned),
    }


def _checked(kind: OperationKind, environment: Environment, parameters: Parameters) -> Parameters:
    cleaned = kind.clean(environment, parameters)
    for check in kinds.registry.guards.get(kind.name, []):
        check(environment, cleaned)
    return cleaned


def digest(environment: Environment, name: str, parameters: Parameters) -> str:
    """What this act would do now."""
    return hashlib.sha256(kinds.get(name).content(environment, parameters)).hexdigest()


def strictest(risks: list[str]) -> str:
    return max(risks, key=Risk.values.index)


def part_of(act: Act, number: int) -> Part:
    return Part(number, act["label"], act["key"], act["risk"], act["parameters"])


def begin(ctx: StepContext, act: Act) -> None:
    """An act's turn has come: nothing froze it meanwhile, and what would run is what was asked. Raises Refused.

    What came before it changed the target, so that a plan may have other locks and smaller losses than when people
    voted: never another text, rule, risk or loss."""
    environment, kind = ctx.environment, kinds.get(act["kind"])
    if (frozen := environment.frozen_by()) and not kind.allowed_in_freeze:
        raise Refused(f"{frozen} was frozen meanwhile: {frozen.freeze_reason}. Nothing of it was done.")
    try:
        _checked(kind, environment, _as_given(act))
    except Refused as refusal:
        raise Refused(refusal.reason.replace("Nothing was requested", "Nothing of it was done")) from None
    if digest(environment, act["kind"], act["parameters"]) == act["content_sha256"]:
        return
    if act["kind"] != APPLY:
        raise Refused(f"What {act['label']} would do changed since it was asked. Nothing of it was done.")
    kept = Plan.objects.filter(environment=environment, content_sha256=act["content_sha256"]).first()
    why = _more(review(kept.file, environment), kept, act["risk"]) if kept else "its plan was not kept"
    if why:
        raise Refused(f"{act['label']} would be more than people voted on: {why}. Nothing of it was done.")


def _as_given(act: Act) -> Parameters:
    """Parameters as a person gives them: lists by comma."""
    return {name: ", ".join(value) if isinstance(value, list) else value for name, value in act["parameters"].items()}


def _more(now: Review, then: Plan, risk: str) -> str:
    """Why a plan asks for more than the one that was voted on, or nothing."""
    losses = {loss.what for loss in now.plan.losses} - {loss["what"] for loss in then.losses}
    policy = now.policy.pk if now.policy else None
    if (then.policy_id, then.ruleset) != (policy, now.plan.ruleset):
        return "the rules that judge SQL are others now"
    if strictest([risk, now.plan.risk]) != risk:
        return f"it is {now.plan.risk} now, and was {risk}"
    if losses:
        return f"it destroys {sorted(losses)[0]} too"
    if now.plan.maintenance and not then.maintenance:
        return f"it needs maintenance mode now ({now.plan.maintenance})"
    return ""
