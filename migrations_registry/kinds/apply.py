"""`migrations.apply`: the stored bytes of one registered file, applied to one environment as its plan says."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from migrations_registry.analysis import ruleset
from migrations_registry.analysis.risk import DEFAULT_POLICY
from migrations_registry.apply.preflight import OUT_OF_ORDER, check
from migrations_registry.apply.steps import all_steps
from migrations_registry.history import states as history_states
from migrations_registry.kinds.apply_consequences import told
from migrations_registry.kinds.apply_shown import file_named, shown
from migrations_registry.models import MigrationFile, Plan
from migrations_registry.services.kept_plans import keep_plan
from migrations_registry.services.planning import Review, review
from migrations_registry.services.rehearsals import newest_rehearsal, why_not_approve
from migrations_registry.undo.keep_choice import CHOICES, KEEP, chosen
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import FROM_PLAN, Block, Consequence, Fact, Parameter, Parameters
from operations.models import Environment, Operation, Risk
from providers.errors import Refused

KEPT = Parameter(
    KEEP,
    "What is kept before",
    required=False,
    choices=lambda environment: CHOICES.items(),
    help="Of what it destroys. To be said where that is more than the rules keep without asking.",
)


def files_here(environment: Environment) -> Iterable[tuple[str, str]]:
    """The newest revision of each registered path."""
    files = MigrationFile.objects.newest().defer("content").order_by("position", "path")
    return [(row.sha256, f"{row.name} · revision {row.revision}") for row in files]


def find(given: str, environment: Environment | None = None) -> MigrationFile:
    """The registered content with this digest (or its unique beginning), or the newest of this path or name. Raises
    Refused.

    Where several paths hold the same bytes, the first of them that is pending on that environment.
    """
    rows = list(MigrationFile.objects.filter(sha256__startswith=given.lower())[:20]) if len(given) >= 8 else []
    rows = rows or list(MigrationFile.objects.newest().filter(Q(path=given) | Q(path__endswith=f"/{given}"))[:20])
    if len({row.sha256 for row in rows}) > 1:
        which = "; ".join(sorted(f"{row.path}: {row.sha256[:12]}" for row in rows))
        raise Refused(f"{given!r} may be several migrations. Nothing was requested; ask by one's sha256 ({which}).")
    if not rows:
        raise Refused(
            f"No registered migration has the sha256, path or name {given!r}. Nothing was requested; see Migrations, "
            "or run sampelit-ops discover_migrations SOURCE --environment E."
        )
    return rows[0] if len(rows) == 1 else _next_of(rows, environment)


def _next_of(same: list[MigrationFile], environment: Environment | None) -> MigrationFile:
    files = list(MigrationFile.objects.newest().defer("content").order_by("position", "path"))
    if environment is not None:
        standings, _ = history_states.standings(files, history_states.rows_of(environment))
        files = [each.file for each in standings if each.state == history_states.PENDING]
    by_pk = {row.pk: row for row in same}
    return next((by_pk[file.pk] for file in files if file.pk in by_pk), same[-1])


def as_asked(environment: Environment, parameters: Parameters) -> Review:
    """The review of what was asked for, with the choice how much is kept."""
    file = find(str(parameters["file"]), environment)
    return review(file, environment, keep=str(parameters.get(KEEP, "")))


def preflight(ctx: StepContext) -> None:
    """Every check before the first change."""
    check(ctx, as_asked(ctx.environment, ctx.parameters))


class ApplyMigration(OperationKind):
    """Risk and votes come from the plan; bytes, plan, target and rule-set are what the votes bind."""

    name = "migrations.apply"
    about = "Runs a migration on a database; what it does is measured before it counts."
    label = "Apply a migration"
    permission = "migrations_registry.apply_migrationfile"
    risk = FROM_PLAN
    connects = ("export", "migration")
    exclusive = "schema:{environment}"
    allowed_in_freeze = False
    steps = all_steps(preflight)
    parameters = [
        Parameter(
            "file",
            "Migration",
            choices=files_here,
            help="Its sha256, path or name.",
            named=file_named,
        ),
        Parameter(
            OUT_OF_ORDER,
            required=False,
            choices=lambda environment: [("yes", "Yes: although earlier files are pending")],
            help="yes: as the Supabase CLI's --include-all.",
        ),
        KEPT,
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        file = find(str(parameters["file"]), environment)
        newer = MigrationFile.objects.filter(path=file.path, revision__gt=file.revision).order_by("-revision").first()
        if newer:
            raise Refused(
                f"{file.name} has a newer revision ({newer.revision}, sha256 {newer.sha256[:12]}). Nothing was "
                "requested; ask for that one, approvals do not carry over."
            )
        reviewed = review(file, environment)
        if reviewed.plan.refusals:
            raise Refused(f"{file.name} cannot be applied: {'; '.join(reviewed.plan.refusals)}. Nothing was requested.")
        if parameters.get(OUT_OF_ORDER, "yes") != "yes":
            raise Refused("out_of_order is yes or left out. Nothing was requested.")
        policy = reviewed.policy.spec() if reviewed.policy else DEFAULT_POLICY
        keep = chosen(str(parameters.get(KEEP, "")), reviewed.reached, policy.keep_bytes)
        order = {OUT_OF_ORDER: "yes"} if OUT_OF_ORDER in parameters else {}
        return {"file": file.sha256, **order, **({KEEP: keep} if keep else {})}

    def content(self, environment: Environment, parameters: Parameters) -> bytes:
        review = self._review(environment, parameters)
        keep_plan(review)
        return review.content

    def why_changed(self, environment: Environment, parameters: Parameters) -> str:
        """Where plans of this file were kept under other rules, the votes were given for what those said."""
        file = find(str(parameters["file"]), environment)
        kept = Plan.objects.filter(file=file, environment=environment).order_by("-made_at")
        earlier = kept.exclude(ruleset=ruleset()).values_list("ruleset", flat=True).first()
        return f"The rules that judge SQL are others ({earlier} then, {ruleset()} now). " if earlier else ""

    def assess(self, environment: Environment, parameters: Parameters) -> str:
        """Nobody has run the files in this order before, so one person more looks at it."""
        risk = self._review(environment, parameters).plan.risk
        return Risk.SENSITIVE if OUT_OF_ORDER in parameters and risk == Risk.ROUTINE else risk

    def describe(self, parameters: Parameters) -> str:
        row = MigrationFile.objects.filter(sha256=parameters.get("file", "")).only("path").first()
        return row.name if row else str(parameters.get("file", ""))[:12]

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        lines = told(self._review(environment, parameters))
        if OUT_OF_ORDER in parameters:
            lines.insert(0, Consequence("Out of order: earlier files are pending, and will run after it.", "warn"))
        return lines

    def shown(self, environment: Environment, parameters: Parameters) -> list[Fact | Block]:
        return shown(self._review(environment, parameters))

    def objection(self, operation: Operation) -> str:
        row = newest_rehearsal(find(str(operation.parameters["file"]), operation.environment), operation.environment)
        return why_not_approve(row, operation.requested_by.username) if row else ""

    def _review(self, environment: Environment, parameters: Parameters) -> Review:
        return as_asked(environment, parameters)
