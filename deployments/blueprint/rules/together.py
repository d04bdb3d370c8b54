"""Fields of one service that cannot stand together, or need each other. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from deployments.blueprint.rules import variables
from deployments.blueprint.rules.items import Fault, Item
from deployments.blueprint.rules.services import kind_of
from deployments.blueprint.rules.shapes import REFUSES
from deployments.blueprint.rules.words import NATIVE

Rule = Callable[[Item, str], Iterator[Fault]]
IGNORES = "Render does not use it."
BUILT = ("repo", "branch", "rootDir", "buildCommand", "startCommand", "dockerfilePath", "dockerContext", "buildFilter")


def _runtime(service: Item) -> str:
    return service.of("runtime") or service.of("env")


def runtime(service: Item, where: str) -> Iterator[Fault]:
    kind = kind_of(service)
    if kind in ("keyvalue", "workflow"):
        return
    if not _runtime(service):
        yield Fault(service.line, where, "`runtime` is missing", REFUSES, "Add e.g. `runtime: python`.")
    elif _runtime(service) == "static" and kind != "static":
        line = service.line_of("runtime" if "runtime" in service.fields else "env")
        yield Fault(line, where, "only a web service can be static", REFUSES, "Write `type: web`.")
    if service.of("runtime") and service.of("env") and service.of("runtime") != service.of("env"):
        problem = "`runtime` and its old name `env` say different things"
        yield Fault(service.line_of("env"), where, problem, "Only one of them counts.", "Leave `env` out.")


def commands(service: Item, where: str) -> Iterator[Fault]:
    """What a native runtime needs, and what the others do not read."""
    how = _runtime(service)
    if how in NATIVE and kind_of(service) != "workflow":
        for name in ("buildCommand", "startCommand"):
            if name not in service.fields:
                yield Fault(service.line, where, f"`{name}` is missing", REFUSES, f"Add `{name}:`.")
        yield from _unused(service, where, ("image", "dockerCommand", "dockerfilePath", "dockerContext"), how)
    elif how == "docker":
        yield from _unused(service, where, ("image", "buildCommand", "startCommand"), how)
    elif how == "image":
        yield from _unused(service, where, BUILT, how)
        if "image" not in service.fields:
            yield Fault(service.line, where, "`image` is missing", REFUSES, "Add `image: {url: …}`.")


def _unused(service: Item, where: str, names: tuple[str, ...], how: str) -> Iterator[Fault]:
    for name in names:
        if name in service.fields:
            write = "Write `dockerCommand`." if name == "startCommand" else "Leave it out, or change the runtime."
            problem = f"means nothing with `runtime: {how}`"
            yield Fault(service.line_of(name), f"{where}.{name}", problem, IGNORES, write)


def free_plan(service: Item, where: str) -> Iterator[Fault]:
    if service.of("plan") != "free" or kind_of(service) != "web":
        return
    for name in ("preDeployCommand", "disk", "scaling", "initialDeployHook"):
        if name in service.fields:
            yield _not_free(service, where, name)
    if service.of("numInstances").isdecimal() and int(service.of("numInstances")) > 1:
        yield _not_free(service, where, "numInstances")


def _not_free(service: Item, where: str, name: str) -> Fault:
    problem = f"`{name}` on the free plan"
    return Fault(service.line_of(name), f"{where}.{name}", problem, REFUSES, "Write `plan: starter`, or leave it out.")


def disk(service: Item, where: str) -> Iterator[Fault]:
    if "disk" not in service.fields:
        return
    if service.of("numInstances").isdecimal() and int(service.of("numInstances")) > 1:
        problem = "a service with a disk has one instance"
        yield Fault(service.line_of("numInstances"), f"{where}.numInstances", problem, REFUSES, "Write 1.")
    for name in ("scaling", "maxShutdownDelaySeconds"):
        if name in service.fields:
            problem = f"`{name}` is not offered for a service with a disk"
            yield Fault(service.line_of(name), f"{where}.{name}", problem, REFUSES, "Leave one of the two out.")


def scaling(service: Item, where: str) -> Iterator[Fault]:
    found = service.fields.get("scaling")
    if found is None or found.kind != "mapping":
        return
    where = f"{where}.scaling"
    low, high = found.of("minInstances"), found.of("maxInstances")
    if low.isdecimal() and high.isdecimal() and int(low) > int(high):
        yield Fault(found.line, where, "the least is more than the most", REFUSES, "Swap the two numbers.")
    if not {"targetMemoryPercent", "targetCPUPercent"} & set(found.fields):
        yield Fault(found.line, where, "has no target", REFUSES, "Add `targetCPUPercent: 60`.")
    if "numInstances" in service.fields:
        line = service.line_of("numInstances")
        yield Fault(line, where, "stands beside `numInstances`", IGNORES, "Leave `numInstances` out.", "warn")


def subdomain(service: Item, where: str) -> Iterator[Fault]:
    if service.of("renderSubdomainPolicy") == "disabled" and not {"domain", "domains"} & set(service.fields):
        problem = "without a custom domain nothing would reach it"
        line = service.line_of("renderSubdomainPolicy")
        yield Fault(line, f"{where}.renderSubdomainPolicy", problem, REFUSES, "Add `domains:`.")


def static_region(service: Item, where: str) -> Iterator[Fault]:
    if kind_of(service) == "static" and "region" in service.fields:
        line = service.line_of("region")
        yield Fault(line, f"{where}.region", "a static site is everywhere", IGNORES, "Leave it out.", "warn")


RULES: tuple[Rule, ...] = (
    *(runtime, commands, free_plan, disk, scaling, subdomain, static_region),
    variables.unique_keys,
)
