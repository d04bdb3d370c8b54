"""sampelit-ops retention POLICY [--environment E] [--apply-request]: what is kept and why; or ask for it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User

from backups.management import cli as management_cli
from backups.models import Policy
from backups.retention.facts import looked_at, planned
from backups.retention.model import Line, Plan
from operations import cli
from operations.engine.request import request
from operations.models import Operation
from providers.answers import Answer, columns
from providers.errors import Refused


class Command(management_cli.StoreCommand):
    help = "Shows what a policy's retention keeps, retires and may delete; changes nothing by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("policy", help="the policy's name")
        parser.add_argument("--environment", default="production")
        parser.add_argument("--look", action="store_true", help="also look into the store for missing objects")
        parser.add_argument("--apply-request", action="store_true", help="ask for backups.retire and backups.purge")
        parser.add_argument("--as", dest="actor", help="who asks (demo only; else OPS_TOKEN)")
        parser.add_argument("--code", action="append", default=[], help="of your second factor, once for each request")
        parser.add_argument("--reason", default="retention from the shell")

    def answer(self, options: dict[str, Any]) -> Answer:
        policy = _policy(options)
        plan = looked_at(policy)[0] if options["look"] else planned(policy)
        asked = _ask(policy, plan, options) if options["apply_request"] else []
        lines = columns((line.run, line.verdict, _why(line)) for line in plan.lines)
        lines += [f"Nothing is retired or deleted now: {plan.refused}."] if plan.refused else []
        lines.append(f"{len(plan.retire)} would be retired, the data of {len(plan.due)} may be deleted.")
        lines += [f"requested {operation.kind} {operation.pk}" for operation in asked]
        return Answer(_document(policy, plan, asked), lines, follow=_next(plan, asked))


def _next(plan: Plan, asked: list[Operation]) -> str:
    if asked:
        return f"`sampelit-ops show {asked[0].pk}`"
    return "--apply-request asks for it." if (plan.retire or plan.due) and not plan.refused else "nothing is due."


def _ask(policy: Policy, plan: Plan, options: dict[str, Any]) -> list[Operation]:
    by = cli.actor(options, "backups.apply_retention", policy.environment)
    wanted = [kind for kind, runs in (("backups.retire", plan.retire), ("backups.purge", plan.due)) if runs]
    return [_request(kind, by, policy, options) for kind in wanted]


def _request(kind: str, by: User, policy: Policy, options: dict[str, Any]) -> Operation:
    asked = {"parameters": {"policy": policy.name}, "reason": options["reason"], "channel": "shell"}
    code = {"code": options["code"].pop(0) if options["code"] else ""}
    return cli.confirmed(by, code, lambda: request(kind, by=by, environment=policy.environment, **asked))


def _policy(options: dict[str, Any]) -> Policy:
    policies = Policy.objects.select_related("environment").filter(
        name=options["policy"], environment__slug=options["environment"]
    )
    policy = policies.first()
    if policy is None:
        known = ", ".join(str(other) for other in Policy.objects.select_related("environment")) or "none"
        raise Refused(
            f"There is no policy {options['environment']}/{options['policy']}. Nothing was asked. Known: {known}."
        )
    return policy


def _why(line: Line) -> str:
    until = (
        f" (until {line.until:%Y-%m-%d %H:%M} UTC)" if line.until and line.verdict in ("retired", "retained") else ""
    )
    return ", ".join(line.reasons) + until


def _document(policy: Policy, plan: Plan, asked: list[Operation]) -> dict[str, Any]:
    lines = [{"run": line.run, "verdict": line.verdict, "reasons": list(line.reasons)} for line in plan.lines]
    return {
        "policy": str(policy),
        "refused": plan.refused,
        "retire": plan.retire,
        "due": plan.due,
        "runs": lines,
        "requested": [operation.pk for operation in asked],
    }
