"""Render's own databases, the portal's among them: restart, export, and recovery into a new one beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from deployments import workspace
from deployments.render.at_most_once import LONG_LOOKS, RENDER
from deployments.render.client import render
from operations.engine.at_most_once import answered
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from operations.periodic.clock import database_time
from operations.web.moments import second
from providers.errors import ProviderError, Refused

AVAILABLE = "available"
LOOKS = 1200  # about an hour


def databases(environment: Environment) -> Iterable[tuple[str, str]]:
    return [(row["id"], f"{row['name']} ({row['plan']})") for row in workspace.known().databases]


def named(environment: Environment, render_id: str) -> tuple[str, str]:
    return workspace.name_of_resource(render_id), ""


def find(given: str) -> dict[str, str]:
    """A database by Render's id, or by a name that no other has. Raises Refused."""
    rows = workspace.known().databases
    found = [row for row in rows if row["id"] == given] or [row for row in rows if row["name"] == given]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(row["id"] for row in found)
        raise Refused(f"Several are called {given!r}. Nothing was requested; say which by its id: {ids}.")
    known = ", ".join(row["name"] for row in rows) or "none; they are read every quarter of an hour"
    raise Refused(f"Render lists no database {given!r}. Nothing was requested. Known: {known}.")


def restart(ctx: StepContext) -> None:
    """Once; Render tells of no restart, so one whose answer was lost is not taken for done."""
    api, database = render(), ctx.parameters["database"]
    sent = answered(ctx, lambda: api.databases.restart(database)) or ctx.state.get("answered")
    if not sent:
        raise ProviderError(
            f"Render was asked once at {ctx.state['asked_at']} and its answer was lost. It tells of no restart and "
            f"says {api.databases.get(database).status}. Look at its dashboard before you request it again."
        )
    ctx.state["answered"] = True
    ctx.save_state()
    if RENDER.until(ctx, lambda: api.databases.get(database).status == AVAILABLE or None, LOOKS) is None:
        raise ProviderError("Render restarts it and does not say yet that it is available. Look at its dashboard.")
    ctx.result(database=database, status=AVAILABLE)


def export(ctx: StepContext) -> None:
    api, database = render(), ctx.parameters["database"]
    made = RENDER.made(
        ctx, lambda: api.databases.exports(database), lambda: api.databases.export(database), looks=LONG_LOOKS
    )
    if made is None:
        raise ProviderError("Render was asked once and lists no new export. Look at its dashboard, then request again.")

    def ready() -> bool | None:
        return any(one.id == made.id and one.ready for one in api.databases.exports(database)) or None

    if RENDER.until(ctx, ready, LOOKS) is None:
        raise ProviderError(f"Render works on the export {made.id} and it is not ready yet. Look at its dashboard.")
    ctx.log("It is downloaded from the database's page at Render (Recovery, Export); its address is kept nowhere.")
    ctx.result(database=database, export=made.id)


def recover(ctx: StepContext) -> None:
    """Into a new database; what the window allows now is asked first. Raises Refused outside of it."""
    api, database, name = render(), ctx.parameters["database"], ctx.parameters["name"]
    at = second(ctx.parameters["at"])
    if not ctx.state.get("asked_at"):
        window = api.databases.recovery(database)
        if window.status != "AVAILABLE" or window.starts_at is None or at < window.starts_at:
            since = f", from {window.starts_at:%Y-%m-%dT%H:%M:%SZ}" if window.starts_at else ""
            raise Refused(
                f"Render can not go back to {at:%Y-%m-%dT%H:%M:%SZ}: {window.status}{since}. Nothing was changed."
            )
    made = RENDER.made(
        ctx,
        api.databases.list,
        lambda: api.databases.recover(database, name, at),
        lambda one: one.name == name,
        LONG_LOOKS,
    )
    if made is None:
        raise ProviderError(f"Render was asked once and lists no database {name}. Look at its dashboard.")
    ctx.result(database=database, recovered=made.id, name=name)
    ctx.progress(0, None, note=f"{made.id} is being made")
    if RENDER.until(ctx, lambda: api.databases.get(made.id).status == AVAILABLE or None, LOOKS) is None:
        raise ProviderError(f"Render makes {made.id} and does not say yet that it is available. Look at its dashboard.")
    workspace.read(api)


DATABASE = Parameter("database", "Database", choices=databases, named=named)


class DatabaseKind(OperationKind):
    """A verb on one of the workspace's databases; it belongs to no environment."""

    permission = "deployments.maintain"
    exclusive = "database:{database}"
    everywhere = True
    parameters = [DATABASE]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        return {**parameters, "database": find(str(parameters["database"]))["id"]}

    def describe(self, parameters: Parameters) -> str:
        return workspace.name_of_resource(parameters["database"])


class RestartDatabase(DatabaseKind):
    name, label = "deployments.restart_database", "Restart a database at Render"
    about = "Restarts one of Render's databases, which is away for about a minute."
    risk, restores_service = Risk.ROUTINE, True
    steps = [step("restart", restart, pool="urgent", stall=600)]

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        name = self.describe(parameters)
        return [
            Consequence(f"Every session of {name} ends; it is away for about a minute.", "bad"),
            Consequence("If it is the portal's own, pages fail meanwhile and operations go on afterwards.", "warn"),
        ]


class ExportDatabase(DatabaseKind):
    name, label = "deployments.export_database", "Export a database at Render"
    about = "Lets Render dump one of its databases, to be downloaded there."
    risk = Risk.ROUTINE
    steps = [step("export", export, pool="deploy", stall=600)]

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [
            Consequence(f"Render dumps {self.describe(parameters)}; it can be downloaded there for seven days.", "ok"),
            Consequence("It is neither encrypted by our keys nor proven; backups.export is."),
        ]


class RecoverDatabase(DatabaseKind):
    name, label = "deployments.recover_database", "Recover a database at Render"
    about = "Makes a new database at Render as another one was at a moment."
    risk = Risk.SENSITIVE
    steps = [step("recover", recover, pool="deploy", deadline=4 * 3600, stall=1800)]
    parameters = [
        DATABASE,
        Parameter("at", "As it was at", help="A second with its time zone, such as 2026-11-23T04:05:06Z."),
        Parameter("name", "Name of the new database", help="Small letters, digits and -, such as ops-recovered."),
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        cleaned, at = super().clean(environment, parameters), second(str(parameters["at"]))
        if at > database_time():
            raise Refused(f"{at:%Y-%m-%dT%H:%M:%SZ} is not over yet. Nothing was requested.")
        name = str(parameters["name"])
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,50}", name) or name in [
            row["name"] for row in workspace.known().databases
        ]:
            raise Refused("The name is small letters, digits and -, and no database has it yet. Nothing was requested.")
        return {**cleaned, "at": at.astimezone(UTC).isoformat(), "name": name}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        name, at = self.describe(parameters), datetime.fromisoformat(parameters["at"])
        return [
            Consequence(
                f"A new database {parameters['name']} is made with {name} of {at:%Y-%m-%d %H:%M:%S} UTC.", "ok"
            ),
            Consequence(f"{name} stays as it is and goes on; nothing leads to the new one by itself.", "ok"),
            Consequence("The new one is billed like the old one from then on.", "warn"),
        ]
