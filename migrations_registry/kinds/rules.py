"""`migrations.change_rules`: another version of the rule policy, put in force by an operation that others approve."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from ledger.services import record
from migrations_registry.analysis.model import BLOCKING, REWRITE, SEVERITIES
from migrations_registry.analysis.risk import GRAVE, is_lowered
from migrations_registry.analysis.rule_registry import CATALOGUE
from migrations_registry.models import RulePolicy
from migrations_registry.services.planning import policy_in_force
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import FROM_PLAN, Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers import bounded_json
from providers.errors import Refused

NUMBERS = ("rows", "bytes", "maintenance_seconds", "keep_bytes")
FIELDS = (*NUMBERS, "gate", "severities")


def put_in_force(ctx: StepContext) -> None:
    """Write the next version; a step run again finds its own row."""
    if RulePolicy.objects.filter(operation=ctx.operation.pk).exists():
        return
    with transaction.atomic():
        newest = RulePolicy.objects.select_for_update().order_by("-version").first()
        row = RulePolicy.objects.create(
            version=newest.version + 1 if newest else 1,
            severities=ctx.parameters["severities"],
            operation=ctx.operation.pk,
            created_by=ctx.operation.requested_by.username,
            gate=ctx.parameters.get("gate", RulePolicy.Gate.WARN),
            **{name: ctx.parameters[name] for name in NUMBERS if name in ctx.parameters},
        )
        record(
            "migrations_registry.policy.changed",
            actor=row.created_by,
            subject=str(row.version),
            data={"operation": ctx.operation.pk, **ctx.parameters},
        )
    ctx.result(version=row.version)


class ChangeRules(OperationKind):
    """Thresholds and severities decide how many people must agree, everywhere: the strictest environment's votes.

    What can make a destructive act ask for less is destructive itself; the rest is sensitive.
    """

    name = "migrations.change_rules"
    about = "Changes which findings and sizes ask for votes."
    label = "Change the migration rules"
    permission = "migrations_registry.change_rules"
    risk = FROM_PLAN
    everywhere = step_up = True
    exclusive = "migration-rules"
    subject = "migration rules"
    steps = [step("put in force", put_in_force)]
    asks_something = True
    parameters = [
        Parameter("rows", "Rows above which two people must agree", required=False),
        Parameter("bytes", "Bytes above which two people must agree", required=False),
        Parameter("maintenance_seconds", "Blocked seconds above which maintenance mode is needed", required=False),
        Parameter(
            "keep_bytes",
            "Bytes above which a request says how much is kept",
            required=False,
            help="Of what a migration destroys; 0 keeps everything without asking.",
        ),
        Parameter(
            "gate",
            "A deploy whose migrations are missing",
            required=False,
            choices=lambda _: RulePolicy.Gate.choices,
            help="Refused on protected environments only; elsewhere it is said.",
        ),
        Parameter("severities", "Rules raised or lowered", required=False, help='JSON, such as {"MN-ENUM": "data"}.'),
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        current = policy_in_force() or RulePolicy(version=0)
        cleaned: dict[str, Any] = {
            name: _number(name, parameters.get(name, getattr(current, name))) for name in NUMBERS
        }
        cleaned["gate"] = _gate(parameters.get("gate", current.gate))
        cleaned["severities"] = _severities(parameters.get("severities", _still_allowed(current.severities)))
        if all(cleaned[name] == getattr(current, name) for name in FIELDS):
            raise Refused("That is the policy in force already. Nothing was requested.")
        return cleaned

    def assess(self, environment: Environment, parameters: Parameters) -> str:
        current = policy_in_force() or RulePolicy(version=0)
        before, after = current.severities, parameters["severities"]
        wider = any(parameters[name] > getattr(current, name) for name in ("rows", "bytes"))
        known = [CATALOGUE[rule_id] for rule_id in {*before, *after} if rule_id in CATALOGUE]
        lowered = (_asks_less(before.get(row.id, row.severity), after.get(row.id, row.severity)) for row in known)
        return Risk.DESTRUCTIVE if wider or any(lowered) else Risk.SENSITIVE

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        current = policy_in_force() or RulePolicy(version=0)
        changed = [name for name in FIELDS if parameters.get(name) != getattr(current, name)]
        lines = [Consequence(f"{name}: {getattr(current, name)} → {parameters.get(name)}", "warn") for name in changed]
        return [
            *lines,
            Consequence("Approvals of migrations that wait now end: they were given under other rules.", "warn"),
        ]


def _number(name: str, given: object) -> int:
    if not str(given).isdigit() or int(str(given)) > 2**62:
        raise Refused(f"{name} must be a whole number, not {given!r}. Nothing was requested.")
    return int(str(given))


def _gate(given: object) -> str:
    if str(given) not in RulePolicy.Gate.values:
        raise Refused(f"gate is one of {', '.join(RulePolicy.Gate.values)}, not {given!r}. Nothing was requested.")
    return str(given)


def _severities(given: object) -> dict[str, str]:
    try:
        severities = bounded_json.loads(given) if isinstance(given, str) else given
    except ValueError:
        raise Refused('severities must be JSON such as {"MN-ENUM": "data"}. Nothing was requested.') from None
    if not isinstance(severities, dict):
        raise Refused("severities must be a JSON object of rule and severity. Nothing was requested.")
    for rule_id, severity in severities.items():
        if rule_id not in CATALOGUE or severity not in SEVERITIES:
            raise Refused(f"{rule_id!r}: {severity!r} is no rule and severity of the catalogue. Nothing was requested.")
        if is_lowered(CATALOGUE[rule_id].severity, severity):
            raise Refused(
                f"{rule_id} is {CATALOGUE[rule_id].severity}; no policy makes it less than that. Nothing was requested."
            )
    return dict(severities)


def _still_allowed(severities: dict[str, str]) -> dict[str, str]:
    """Without what an earlier version of the portal allowed to lower."""
    known = ((rule_id, severity) for rule_id, severity in severities.items() if rule_id in CATALOGUE)
    return {rule_id: wanted for rule_id, wanted in known if not is_lowered(CATALOGUE[rule_id].severity, wanted)}


def _asks_less(severity: str, wanted: str) -> bool:
    """Whether an act that two people voted on may need fewer: a blocking statement is destructive on a large table."""
    heavy = {BLOCKING, REWRITE}
    return is_lowered(severity, wanted) or (severity in heavy and wanted not in {*GRAVE, *heavy})
