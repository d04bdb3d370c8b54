"""What refers to something else in the file: names that must be unique, and sources that must exist and fit. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from deployments.blueprint.rules.items import Fault, Item
from deployments.blueprint.rules.services import kind_of
from deployments.blueprint.rules.shapes import REFUSES
from deployments.blueprint.rules.words import GIVEN

HAS_HOST = ("web", "pserv", "keyvalue")


@dataclass(frozen=True)
class Declarations:
    """Everything that a file declares, wherever it stands."""

    services: Sequence[Item]
    databases: Sequence[Item]
    groups: Sequence[Item]


def unique(entries: Iterable[Item], noun: str) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for entry in entries:
        name = entry.of("name")
        if name and name in seen:
            problem = f"{noun} `{name}` stands in line {seen[name]} already"
            write = "Give it another name, or keep one of them."
            yield Fault(entry.line_of("name"), name, problem, "Render refuses the file, or the later one wins.", write)
        seen.setdefault(name, entry.line_of("name"))


def sources(found: Declarations) -> Iterator[Fault]:
    services = {service.of("name"): service for service in found.services}
    databases = {database.of("name"): database for database in found.databases}
    databases |= {replica.of("name"): base for base in found.databases for replica in base.list("readReplicas")}
    groups = {group.of("name") for group in found.groups}
    for service in found.services:
        for variable in service.list("envVars"):
            where = f"{service.of('name')}.{variable.of('key') or 'fromGroup'}"
            yield from _of_group(variable, where, groups)
            if "fromDatabase" in variable.fields:
                yield from _of_database(variable.fields["fromDatabase"], where, service, databases)
            if "fromService" in variable.fields:
                yield from _of_service(variable.fields["fromService"], where, service, services)


def _of_group(variable: Item, where: str, groups: set[str]) -> Iterator[Fault]:
    name = variable.of("fromGroup")
    if name and name not in groups:
        yield _absent(variable.fields["fromGroup"], where, f"group `{name}`")


def _of_database(source: Item, where: str, service: Item, databases: dict[str, Item]) -> Iterator[Fault]:
    name = source.of("name")
    if name and name not in databases:
        yield _absent(source, where, f"database `{name}`")
    elif name and source.of("property") in ("connectionString", "connectionPoolString", "host"):
        yield from _region(source, where, service, databases[name])


def _of_service(source: Item, where: str, service: Item, services: dict[str, Item]) -> Iterator[Fault]:
    name, other = source.of("name"), services.get(source.of("name"))
    if name and other is None:
        yield _absent(source, where, f"service `{name}`")
        return
    kinds = {source.of("type"), "keyvalue" if source.of("type") == "redis" else source.of("type")}
    if other is None:
        return
    if source.of("type") and not kinds & {other.of("type"), kind_of(other)}:
        write = f"Write `type: {other.of('type')}`."
        yield Fault(source.line_of("type"), where, f"`{name}` is no {source.of('type')}", REFUSES, write)
    yield from _property(source, where, other)
    yield from _variable(source, where, other)
    if source.of("property") in ("host", "hostport", "connectionString"):
        yield from _region(source, where, service, other)


def _property(source: Item, where: str, other: Item) -> Iterator[Fault]:
    asked, kind = source.of("property"), kind_of(other)
    wrong = asked == "connectionString" if kind != "keyvalue" else asked == "hostport"
    if asked and (kind not in HAS_HOST or wrong):
        write = "Ask for `host`, `port` or `hostport` of a web or private service, `connectionString` of a Key Value."
        yield Fault(source.line_of("property"), where, f"a {kind} has no `{asked}`", REFUSES, write)


def _variable(source: Item, where: str, other: Item) -> Iterator[Fault]:
    asked = source.of("envVarKey")
    declared = [variable.of("key") for variable in other.list("envVars")]
    if asked and asked not in declared and asked not in GIVEN and not asked.startswith("RENDER_"):
        then = "Render finds a value only if somebody set it in the dashboard."
        problem = f"`{other.of('name')}` declares no `{asked}`"
        yield Fault(source.line_of("envVarKey"), where, problem, then, "Declare it there, at the service.", "warn")


def _region(source: Item, where: str, service: Item, other: Item) -> Iterator[Fault]:
    here, there = service.of("region") or "oregon", other.of("region") or "oregon"
    if here != there and kind_of(service) != "static":
        then = "Private addresses reach only within a region: it connects to nothing."
        problem = f"the service is in {here}, `{other.of('name')}` in {there}"
        yield Fault(source.line, where, problem, then, "Write the same `region` at both.")


def _absent(source: Item, where: str, what: str) -> Fault:
    then = "Render looks for it in the workspace and refuses the file if it is not there."
    return Fault(source.line, where, f"the file declares no {what}", then, "Check the name.", "warn")
