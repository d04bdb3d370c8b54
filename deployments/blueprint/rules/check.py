"""A whole render.yaml held against Render's published rules: bytes in, faults by line out. Pure.

Source: render.com/docs/blueprint-spec and its JSON schema, as of autumn 2026; what Render says at the sync decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from deployments.blueprint.parse import composed
from deployments.blueprint.rules import references, together
from deployments.blueprint.rules.databases import database
from deployments.blueprint.rules.items import Fault, Item, item, repetitions
from deployments.blueprint.rules.references import Declarations
from deployments.blueprint.rules.services import service
from deployments.blueprint.rules.shapes import REFUSES, Shape, integer, list_of, mapping, one_of, switch, text
from deployments.blueprint.rules.variables import GROUP, unique_keys

SCOPE: dict[str, Shape] = {
    "services": list_of(service),
    "databases": list_of(database),
    "envVarGroups": list_of(GROUP),
}
ONOFF = one_of("enabled", "disabled", hints={"true": "enabled", "false": "disabled"})
ENVIRONMENT = mapping(
    SCOPE | {"name": text, "networking": mapping({"isolation": ONOFF}), "permissions": mapping({"protection": ONOFF})},
    ("name",),
)
PREVIEWS = mapping(
    {
        "generation": one_of("off", "manual", "automatic", hints={"none": "off", "auto_preview": "automatic"}),
        "expireAfterDays": integer(1, 3650),
    }
)
ROOT = mapping(
    SCOPE
    | {
        "projects": list_of(mapping({"name": text, "environments": list_of(ENVIRONMENT)}, ("name", "environments"))),
        "ungrouped": mapping(SCOPE),
        "previews": PREVIEWS,
        "previewsEnabled": switch,
        "previewsExpireAfterDays": integer(1, 3650),
    }
)

MOST_FAULTS = 1_000


def check(content: bytes) -> list[Fault]:
    """Every fault, of very many some, by line. Raises Refused for what is no YAML or too large to look at."""
    tree = item(composed(content))
    return sorted(set(islice(_faults(tree), MOST_FAULTS)), key=lambda fault: (fault.line, fault.where, fault.problem))


def _faults(tree: Item) -> Iterator[Fault]:
    yield from repetitions(tree)
    yield from ROOT(tree, "")
    found = declarations(tree)
    if tree.kind == "mapping" and not (found.services or found.databases or found.groups):
        yield Fault(tree.line, "the file", "declares nothing", "Render makes nothing.", "Add `services:`.")
    for each in found.services:
        for rule in together.RULES:
            yield from rule(each, each.of("name") or each.of("type"))
    for group in found.groups:
        yield from unique_keys(group, group.of("name"))
    for noun, entries in (("service", found.services), ("database", found.databases), ("group", found.groups)):
        yield from references.unique(entries, noun)
    yield from references.sources(found)
    yield from _environments(tree)


def declarations(tree: Item) -> Declarations:
    """Also what stands in projects' environments and under `ungrouped`."""
    nested = [each for project in tree.list("projects") for each in project.list("environments")]
    scopes = [tree, *nested, *([tree.fields["ungrouped"]] if "ungrouped" in tree.fields else [])]
    lists = [[entry for scope in scopes for entry in scope.list(name)] for name in SCOPE]
    return Declarations(*lists)


def _environments(tree: Item) -> Iterator[Fault]:
    yield from references.unique(tree.list("projects"), "project")
    for project in tree.list("projects"):
        yield from references.unique(project.list("environments"), "environment")
        if "environments" in project.fields and not project.fields["environments"].items:
            line = project.line_of("environments")
            yield Fault(line, project.of("name"), "has no environment", REFUSES, "Add one: `- name: production`.")
