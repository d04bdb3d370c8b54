"""One entry of `databases`: its fields, and what its plan and version rule out. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from deployments.blueprint.rules.items import Fault, Item
from deployments.blueprint.rules.services import ALLOWED
from deployments.blueprint.rules.shapes import REFUSES, Shape, integer, list_of, mapping, one_of, switch, text
from deployments.blueprint.rules.words import (
    DATABASE_PLANS,
    LEGACY_DATABASE_PLANS,
    PLAN_HINTS,
    POSTGRES_VERSIONS,
    REGIONS,
    SMALL_DATABASE_PLANS,
)

MOST_REPLICAS = 5
FIRST_WITH_STANDBY = 13
DISK = integer(1, 16_384)


def disk_size(found: Item, where: str) -> Iterator[Fault]:
    wrong = list(DISK(found, where))
    if not wrong and found.text != "1" and int(found.text) % 5:
        wrong = [Fault(found.line, where, f"{found.text} GB", REFUSES, "Write 1 or a multiple of 5.")]
    yield from wrong


def version(found: Item, where: str) -> Iterator[Fault]:
    if found.text in POSTGRES_VERSIONS and found.kind == "integer":
        then = "Render's schema takes text here."
        yield Fault(found.line, where, "an unquoted number", then, f'Write "{found.text}".', "warn")
    else:
        yield from one_of(*POSTGRES_VERSIONS)(found, where)


FIELDS: dict[str, Shape] = {
    "name": text,
    "plan": one_of(*DATABASE_PLANS, hints=PLAN_HINTS),
    "previewPlan": one_of(*DATABASE_PLANS, hints=PLAN_HINTS),
    "region": one_of(*REGIONS),
    "databaseName": text,
    "user": text,
    "postgresMajorVersion": version,
    "diskSizeGB": disk_size,
    "previewDiskSizeGB": disk_size,
    "storageAutoscalingEnabled": switch,
    "connectionPool": one_of("pgbouncer", "none"),
    "highAvailability": mapping({"enabled": switch}, ("enabled",)),
    "ipAllowList": ALLOWED,
    "readReplicas": list_of(mapping({"name": text}, ("name",)), MOST_REPLICAS),
}


def database(found: Item, where: str) -> Iterator[Fault]:
    where = f"{where} {found.of('name')}".strip()
    yield from mapping(FIELDS, ("name",))(found, where)
    if found.kind == "mapping":
        yield from _legacy(found, where)
        yield from _standby(found, where)


def _legacy(found: Item, where: str) -> Iterator[Fault]:
    if found.of("plan") not in LEGACY_DATABASE_PLANS:
        return
    then = "Render makes no new database of it; one that has it keeps it."
    yield Fault(found.line_of("plan"), f"{where}.plan", "a legacy plan", then, "Write e.g. `basic-256mb`.", "warn")
    for name in ("diskSizeGB", "storageAutoscalingEnabled"):
        if name in found.fields:
            problem = "a legacy plan has a disk of fixed size"
            yield Fault(found.line_of(name), f"{where}.{name}", problem, REFUSES, "Leave it out, or change the plan.")


def _standby(found: Item, where: str) -> Iterator[Fault]:
    standby = found.fields.get("highAvailability")
    if standby is None or standby.of("enabled") != "true":
        return
    where = f"{where}.highAvailability"
    if found.of("plan") in SMALL_DATABASE_PLANS or "plan" not in found.fields:
        plan = found.of("plan") or "basic-256mb, the default,"
        write = "Choose a plan with at least one CPU, e.g. `pro-4gb`."
        yield Fault(standby.line, where, f"{plan} has no standby", REFUSES, write)
    major = found.of("postgresMajorVersion")
    if major.isdecimal() and int(major) < FIRST_WITH_STANDBY:
        yield Fault(standby.line, where, f"PostgreSQL {major} has no standby", REFUSES, "Write version 13 or later.")
