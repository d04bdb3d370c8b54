"""Maintenance that Render plans on a service or a database: put it off, or begin now while somebody watches."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from deployments import workspace
from deployments.render.at_most_once import RENDER
from deployments.render.client import render
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from operations.periodic.clock import database_time
from operations.web.moments import second
from providers.errors import ProviderError, Refused


def runs(environment: Environment) -> Iterable[tuple[str, str]]:
    return [(run["id"], _told(run)) for run in workspace.planned()]


def named(environment: Environment, run: str) -> tuple[str, str]:
    return next((_told(known) for known in workspace.known().maintenance if known["id"] == run), ""), ""


def _told(run: dict[str, str]) -> str:
    name = workspace.name_of_resource(run["resource"])
    return f"{name}, {run['type']}, {datetime.fromisoformat(run['at']):%Y-%m-%d %H:%M} UTC"


def find(given: str) -> dict[str, str]:
    for run in workspace.known().maintenance:
        if run["id"] == given and workspace.ahead(run) <= timedelta(0):
            raise Refused(f"Its time came at {run['at'][:16]} UTC: it may be under way. Nothing was requested.")
        if run["id"] == given:
            return run
    known = ", ".join(run["id"] for run in workspace.planned()) or "none"
    raise Refused(f"Render plans no maintenance {given!r}. Nothing was requested. Planned: {known}.")


def reschedule(ctx: StepContext) -> None:
    api, run, at = render(), ctx.parameters["run"], datetime.fromisoformat(ctx.parameters["at"])

    def moved() -> bool | None:
        seen = api.maintenance_runs.get(run)
        planned = seen.state == workspace.PLANNED
        return (planned and seen.at is not None and abs((seen.at - at).total_seconds()) < 60) or None

    otherwise = f"Render does not show {run} at {at:%Y-%m-%d %H:%M} UTC. Look at its dashboard."
    RENDER.brought_about(ctx, moved, lambda: api.maintenance_runs.reschedule(run, at), otherwise)
    workspace.read(api)
    ctx.result(run=run, at=at.isoformat())


def begin(ctx: StepContext) -> None:
    api, run = render(), ctx.parameters["run"]

    def begun() -> str | None:
        state = api.maintenance_runs.get(run).state
        return None if state == workspace.PLANNED else state

    otherwise = f"Render was asked once and still says that {run} is planned. Look at its dashboard."
    state = RENDER.brought_about(ctx, begun, lambda: api.maintenance_runs.start(run), otherwise)
    workspace.read(api, taken=run)
    ctx.result(run=run, state=state)
    if state not in BEGUN:
        raise ProviderError(f"Render did not do this maintenance: it says {state.replace('_', ' ')}. {LOOK}")


BEGUN = ("in_progress", "succeeded")
LOOK = "Look at its dashboard; nothing else was changed."
RUN = Parameter("run", "Maintenance", choices=runs, named=named)


class MaintenanceRunKind(OperationKind):
    permission = "deployments.maintain"
    exclusive = "maintenance_run:{run}"
    everywhere = True
    parameters = [RUN]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        return {**parameters, "run": find(str(parameters["run"]))["id"]}

    def resource(self, parameters: Parameters) -> str:
        run = next((run for run in workspace.known().maintenance if run["id"] == parameters["run"]), None)
        return workspace.name_of_resource(run["resource"]) if run else str(parameters["run"])

    def describe(self, parameters: Parameters) -> str:
        return self.resource(parameters)


class RescheduleMaintenance(MaintenanceRunKind):
    name, label = "deployments.reschedule_maintenance", "Move Render's maintenance"
    about = "Moves work that Render plans on a service or database to another time."
    risk = Risk.ROUTINE
    steps = [step("reschedule", reschedule, pool="deploy")]
    parameters = [RUN, Parameter("at", "New time", help="With its time zone, such as 2026-12-01T03:00:00Z.")]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        run, at = find(str(parameters["run"])), second(str(parameters["at"]))
        if at <= database_time():
            raise Refused(f"{at:%Y-%m-%d %H:%M} UTC is over. Nothing was requested. To begin now: start_maintenance.")
        if run["latest"] and at > datetime.fromisoformat(run["latest"]):
            raise Refused(f"Render puts it off to {run['latest'][:16]} UTC at the latest. Nothing was requested.")
        return {"run": run["id"], "at": at.astimezone(UTC).isoformat()}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        at = datetime.fromisoformat(parameters["at"])
        return [Consequence(f"Render's work on {self.resource(parameters)} begins at {at:%Y-%m-%d %H:%M} UTC.", "warn")]

    def describe(self, parameters: Parameters) -> str:
        return f"{self.resource(parameters)} to {parameters['at'][:16]}"


class StartMaintenance(MaintenanceRunKind):
    name, label = "deployments.start_maintenance", "Begin Render's maintenance now"
    about = "Begins work that Render plans at once, while somebody watches."
    risk = Risk.SENSITIVE
    steps = [step("begin", begin, pool="deploy")]

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        name = self.resource(parameters)
        return [Consequence(f"Render works on {name} now: it may not answer for some minutes.", "bad")]
