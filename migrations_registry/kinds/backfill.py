"""`migrations.backfill`: the one UPDATE of a registered file, in batches by key; `migrations.pause` lets it rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from django.db import transaction

from migrations_registry.apply.preflight import check
from migrations_registry.apply.steps import all_steps
from migrations_registry.backfill.statement import batched
from migrations_registry.backfill.steps import run_slice, settle
from migrations_registry.kinds.apply import ApplyMigration, as_asked, find
from migrations_registry.models import Application
from migrations_registry.models.applied import BACKFILL
from migrations_registry.services.planning import Review
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Block, Consequence, Fact, Parameter, Parameters, step
from operations.engine.wakeup import wake
from operations.models import Environment, Operation, Risk, Status
from operations.navigation import page_of
from providers.errors import Refused

STATES = {"paused": "Let it rest at the next batch", "running": "Let it go on"}
SLICE = step("backfill", run_slice, deadline=6 * 3600, stall=600)


def in_batches(environment: Environment, parameters: Parameters) -> Review:
    """The file's review; nobody waits for long enough that maintenance mode would help."""
    reviewed = as_asked(environment, parameters)
    return replace(reviewed, plan=replace(reviewed.plan, maintenance=""))


def preflight(ctx: StepContext) -> None:
    """Every check of an application."""
    check(ctx, in_batches(ctx.environment, ctx.parameters))


class Backfill(ApplyMigration):
    """Judged, voted on, rehearsed, guarded, recorded and undone as the application of the same file."""

    name = BACKFILL
    about = "Fills or changes a large table in small batches that can be paused."
    label = "Fill a table in batches"
    steps = all_steps(preflight, SLICE, settle)

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        batched(find(str(parameters["file"]), environment).data)
        return super().clean(environment, parameters)

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        table = ".".join(batched(find(str(parameters["file"]), environment).data).table)
        return [
            Consequence(
                f"Walks {table} by its primary key in short transactions; other work of the workers goes between. Who "
                "writes to the same rows waits for well under a second; where they are first, it gives way.",
                "ok",
            ),
            Consequence("Stops and goes on at any batch: pause, resume, cancel, a killed worker; each row once.", "ok"),
            Consequence(
                "Each batch sees the data as it is then. Rows added meanwhile are changed only where their key lies "
                "ahead of it, so whatever writes new rows should write the new value already; keys must not change.",
                "warn",
            ),
            Consequence("Cancelled, it is partly applied: what is done stays, and the next request goes on.", "warn"),
            *super().consequences(environment, parameters),
        ]

    def shown(self, environment: Environment, parameters: Parameters) -> list[Fact | Block]:
        """Also where it is paused, while it walks."""
        begun = Application.objects.filter(environment=environment, file__sha256=parameters["file"], status="running")
        row = begun.only("paused_by").first()
        said = f"resume; paused by {row.paused_by}" if row and row.paused_by else "pause"
        own = [Fact("Batches", said, page_of(row), "warn" if row.paused_by else "")] if row else []
        return [*own, *super().shown(environment, parameters)]

    def _review(self, environment: Environment, parameters: Parameters) -> Review:
        return in_batches(environment, parameters)


def backfills_here(environment: Environment) -> Iterable[tuple[str, str]]:
    """Those that have not ended, the newest first."""
    rows = Operation.objects.filter(kind=BACKFILL, environment=environment, status=Status.RUNNING)
    for row in rows.order_by("-requested_at")[:20]:
        yield row.pk, f"{row.subject}, begun {row.started_at:%Y-%m-%d %H:%M}"


def hold(ctx: StepContext) -> None:
    """Say so in the application's row, which the walk asks once a second; wake it where it may go on."""
    who = ctx.operation.requested_by.username if ctx.parameters["state"] == "paused" else ""
    with transaction.atomic():
        found = Application.objects.filter(operation=ctx.parameters["backfill"], environment=ctx.environment)
        if not found.filter(status=Application.Status.RUNNING).update(paused_by=who):
            raise Refused("It does not run any more, or has not begun to. Nothing was changed.")
        walking = Operation.objects.get(pk=ctx.parameters["backfill"])
        if not who:
            Operation.objects.filter(pk=walking.pk).update(due_at=None)
            wake(walking)
    ctx.result(state=ctx.parameters["state"])


class Pause(OperationKind):
    """Nothing is changed by either state, so one person is enough, at any hour."""

    name = "migrations.pause"
    about = "Stops a running backfill after its batch, or lets it go on."
    label = "Pause or resume a backfill"
    permission = ApplyMigration.permission
    risk = Risk.ROUTINE
    exclusive = "pause:{backfill}"
    steps = [step("hold", hold, pool="urgent", deadline=60)]
    parameters = [
        Parameter("backfill", "Backfill", choices=backfills_here, help="The operation that walks."),
        Parameter("state", "State", choices=lambda environment: STATES.items(), help="paused or running."),
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        if parameters["state"] not in STATES:
            raise Refused(f"A backfill is paused or running, not {parameters['state']!r}. Nothing was requested.")
        if parameters["backfill"] not in dict(backfills_here(environment)):
            raise Refused(
                f"No backfill {parameters['backfill']!r} runs on {environment}. Nothing was requested; see ops list."
            )
        return parameters

    def describe(self, parameters: Parameters) -> str:
        row = Operation.objects.filter(pk=parameters.get("backfill", "")).only("subject").first()
        return f"{row.subject if row else parameters.get('backfill')}: {parameters.get('state')}"

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        if parameters["state"] == "running":
            return [Consequence("It goes on behind the last batch.", "ok")]
        return [
            Consequence("It rests behind its next batch; what is done stays.", "ok"),
            Consequence("No other migration can be applied here until it goes on and ends, or is cancelled.", "warn"),
        ]
