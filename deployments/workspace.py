"""What Render's workspaces hold beside services, as it was read last: databases, planned maintenance, Render's own
environments, and the addresses that services connect from.

In: the client, every quarter of an hour. Out: `known()`, for the choices of requests and for doctor; a part that Render
refuses keeps what was known of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from deployments import last_look
from deployments.environment_group import group_of
from deployments.models import Service
from operations.accounts import RENDER
from operations.doctor import Check
from operations.models import Environment
from operations.periodic.clock import database_time
from operations.periodic.isolation import Failed, each
from providers.render import Render
from providers.render.postgres import Database

KEPT = "render.workspace"
SOON = timedelta(days=7)
PLANNED = "scheduled"


@dataclass
class Workspace:
    """`environments` maps a service's id to the name of its environment at Render, `addresses` to its addresses."""

    databases: list[dict[str, str]] = field(default_factory=list)
    maintenance: list[dict[str, str]] = field(default_factory=list)
    environments: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, list[str]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    missing: dict[str, dict[str, str]] = field(default_factory=dict)
    seen_at: str = ""


def known() -> Workspace:
    """As of the last reading; empty before the first."""
    return last_look.known(KEPT, Workspace)


def read(api: Render, *, taken: str = "") -> None:
    """Ask for every part. Raises ProviderError where Render does not answer at all.

    `taken`: the id of what an operation has just ended."""
    services = list(Service.objects.filter(removed_at=None).order_by("pk"))
    owners = sorted({service.owner_id for service in services if service.owner_id})
    dynamic = [service.render_id for service in services if service.type != "static_site"]
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "databases": lambda: {"databases": [_database(row) for row in api.databases.list()]},
        "maintenance": lambda: _maintenance(api, owners),
        "environments": lambda: _environments(api),
        "addresses": lambda: _addresses(api, dynamic),
    }
    last_look.look(KEPT, parts, TELLING, taken=[taken])


def _addresses(api: Render, services: list[str]) -> dict[str, Any]:
    """Of each service; of one that Render says nothing about, what was known."""
    found, failed = known().addresses, Failed()
    for service in services:
        with each(f"the addresses of {service}", failed):
            found[service] = list(api.addresses.outbound(service)) or found.get(service, [])
    here = {service: found[service] for service in services if service in found}
    return {"addresses": here, "note": "; ".join(failed)}


def _database(row: Database) -> dict[str, str]:
    return {"id": row.id, "name": row.name, "plan": row.plan}


def _maintenance(api: Render, owners: list[str]) -> dict[str, Any]:
    """Of each workspace; of one that refuses, what was known."""
    before, failed = known().maintenance, Failed()
    found = {owner: [run for run in before if run.get("owner") == owner] for owner in owners}
    for owner in owners:
        with each(f"the maintenance of {owner}", failed):
            found[owner] = list(_planned(api, owner))
    return {"maintenance": [run for runs in found.values() for run in runs], "note": "; ".join(failed)}


def _planned(api: Render, owner: str) -> Iterator[dict[str, str]]:
    for run in api.maintenance_runs.list(owner):
        if run.state == PLANNED and run.at:
            latest = run.latest.isoformat() if run.latest else ""
            kept = {"id": run.id, "type": run.type, "resource": run.resource, "at": run.at.isoformat()}
            yield kept | {"latest": latest, "owner": owner}


def read_environments(api: Render) -> None:
    """That part alone, before a service comes in. Raises ProviderError where Render does not answer at all."""
    last_look.look(KEPT, {"environments": lambda: _environments(api)}, TELLING)


def _environments(api: Render) -> dict[str, Any]:
    """Of each project; where one refuses, what was known stays."""
    projects, failed, found = list(api.environments.projects()), Failed(), dict[str, str]()
    for project in projects:
        with each(f"the environments of {project}", failed):
            for environment in api.environments.list([project]):
                found |= dict.fromkeys(environment.services, environment.name)
    return {"environments": (known().environments if failed else {}) | found, "note": "; ".join(failed)}


def name_of_resource(resource: str) -> str:
    """The service or database by name, or Render's id."""
    databases = {row["id"]: row["name"] for row in known().databases}
    row = Service.objects.filter(render_id=resource).first()
    return row.name if row else databases.get(resource, resource)


def _run(_: str, run: dict[str, str]) -> str:
    """Nothing of one whose time has come: it began."""
    name = f"the maintenance of {name_of_resource(run['resource'])} planned for {run['at'][:16]} UTC"
    return name if ahead(run) > timedelta(0) else ""


def _place(key: str, name: str) -> str:
    """Nothing of a service that is gone itself."""
    row = Service.objects.filter(render_id=key, removed_at=None).first()
    return f"{row} in the environment {name}" if row else ""


def _address(key: str, seen: str | list[str]) -> str:
    service, _, address = key.partition(" ")
    row = Service.objects.filter(render_id=service, removed_at=None).first()
    return f"{address or ', '.join(seen)} among the addresses of {row}" if row else ""


PARTS = {"databases": "the database", "maintenance": "the maintenance", "environments": "the environment of"}
NAMES: dict[str, Callable[[str, Any], str]] = {
    "databases": lambda _, row: f"the database {row['name']}",
    "maintenance": _run,
    "environments": _place,
    "addresses": _address,
}
TELLING = last_look.Telling(RENDER, NAMES)


def elsewhere() -> list[tuple[Service, str, str]]:
    """Services that Render has in another kind of environment: with Render's name for it, and the kind it means."""
    named = known().environments
    rows = Service.objects.filter(removed_at=None, parent_render_id="", render_id__in=named).select_related(
        "environment"
    )
    means = [(row, named[row.render_id], group_of(named[row.render_id], "", "").kind) for row in rows]
    return [(row, name, kind) for row, name, kind in means if row.environment and row.environment.kind != kind]


def refused(environment: Environment | None) -> Iterator[Check]:
    """Parts that Render would not tell."""
    if environment is None:
        seen = known()
        yield from last_look.refused("Render's workspaces", seen.notes)
        yield from last_look.in_doubt("Render's lists", seen.missing, PARTS)


def places(environment: Environment | None) -> Iterator[Check]:
    """Services that are counted to another environment than Render says."""
    why = "Its votes, its freeze and its health are those of the environment that it is counted to."
    for service, name, kind in elsewhere():
        if environment is None or service.environment_id == environment.pk:
            found = f"counted to {service.environment_slug}; at Render it is in {name} ({kind})"
            yield Check(f"{service.name} place", "warn", found, why, "Request deployments.follow_environment.")


def ahead(run: Mapping[str, str]) -> timedelta:
    """How long until a planned maintenance begins; 0 or less: its time has come, whatever was read last."""
    return datetime.fromisoformat(run["at"]) - database_time()


def planned() -> list[dict[str, str]]:
    """What Render still is to begin."""
    return [run for run in known().maintenance if ahead(run) > timedelta(0)]


def planned_maintenance(environment: Environment | None) -> Iterator[Check]:
    """Maintenance that Render begins within a week, or may have begun since it was read."""
    for run in known().maintenance if environment is None else []:
        if (left := ahead(run)) < SOON:
            name = f"Render's maintenance of {name_of_resource(run['resource'])}"
            why, at = "It may not answer for some minutes then.", f"{run['at'][:16].replace('T', ' ')} UTC"
            if left > timedelta(0):
                yield Check(name, "warn", f"planned for {at}", why, "Request deployments.reschedule_maintenance.")
            else:
                found = f"was planned for {at} and may be under way: Render was not asked since"
                yield Check(name, "warn", found, why, "Look at Render's dashboard if it lasts.")
