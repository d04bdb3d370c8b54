"""One variable of a service or of an environment group: exactly one source, and only what Render takes there. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from deployments.blueprint.rules.items import Fault, Item
from deployments.blueprint.rules.shapes import (
    REFUSES,
    Shape,
    list_of,
    mapping,
    matching,
    one_of,
    text,
    words,
)
from deployments.blueprint.rules.words import DATABASE_PROPERTIES, SERVICE_PROPERTIES, TYPES

SOURCES = ("value", "generateValue", "sync", "fromDatabase", "fromService")
KEY = r"[A-Za-z_.-][A-Za-z0-9_.-]*"


def value(found: Item, where: str) -> Iterator[Fault]:
    """Text or a number. The value itself is never repeated: it may be a secret."""
    if found.kind in ("list", "mapping"):
        yield Fault(found.line, where, f"a {found.kind} is no value of a variable", REFUSES, "Write it as quoted text.")
    elif found.kind == "boolean":
        then = "Render's schema takes text or a number here."
        yield Fault(found.line, where, "an unquoted true or false", then, 'Quote it: "true".', "warn")
    elif found.kind == "nothing":
        yield Fault(found.line, where, "has no value", "Render sets nothing.", 'Write a value, or `""`.', "warn")
    elif "${" in found.text:
        then = "Render replaces nothing: the process gets these very characters."
        yield Fault(found.line, where, "looks like interpolation", then, "Put it together at the start.", "warn")


def only(wanted: str, otherwise: str) -> Shape:
    def check(found: Item, where: str) -> Iterator[Fault]:
        if found.kind != "boolean" or found.text.lower() != wanted:
            yield Fault(found.line, where, f"only `{wanted}` means something here", REFUSES, otherwise)

    return check


FROM_DATABASE = mapping({"name": text, "property": one_of(*DATABASE_PROPERTIES)}, ("name", "property"))
_SERVICE = {"name": text, "type": one_of(*TYPES), "property": one_of(*SERVICE_PROPERTIES), "envVarKey": text}


def from_service(found: Item, where: str) -> Iterator[Fault]:
    yield from mapping(_SERVICE, ("name", "type"))(found, where)
    asked = [name for name in ("property", "envVarKey") if name in found.fields]
    if found.kind == "mapping" and len(asked) != 1:
        problem = "asks for both a property and a variable" if asked else "asks for nothing"
        yield Fault(found.line, where, problem, REFUSES, "Write either `property` or `envVarKey`.")


FIELDS: dict[str, Shape] = {
    "key": matching(KEY, "a name of letters, digits and _"),
    "value": value,
    "generateValue": only("true", "Write true, or leave it out."),
    "sync": only("false", "Write `sync: false`, or leave it out."),
    "previewValue": value,
    "fromDatabase": FROM_DATABASE,
    "fromService": from_service,
    "fromGroup": text,
}


def of_service(found: Item, where: str) -> Iterator[Fault]:
    where = f"{where} {found.of('key')}".strip()
    yield from mapping(FIELDS)(found, where)
    if found.kind != "mapping":
        return
    if "fromGroup" in found.fields:
        for name in found.fields:
            if name != "fromGroup":
                write = "Give the variable an entry of its own: `- key: …`."
                yield Fault(found.line_of(name), f"{where}.{name}", "stands beside `fromGroup`", REFUSES, write)
        return
    yield from _named(found, where)


def _named(found: Item, where: str) -> Iterator[Fault]:
    if "key" not in found.fields:
        yield Fault(found.line, where, "has no `key`", REFUSES, "Add `key: NAME`.")
    sources = [name for name in SOURCES if name in found.fields]
    if len(sources) > 1:
        problem = f"has {len(sources)} sources: {words(sources).replace(' or ', ' and ')}"
        yield Fault(found.line, where, problem, REFUSES, "Keep one of them.")
    elif not sources and "previewValue" not in found.fields:
        then = "Render makes it without a value and asks nobody."
        yield Fault(found.line, where, "has no source", then, "Add `value`, `generateValue` or `sync: false`.", "warn")


NOT_IN_A_GROUP = {
    "sync": ("Render ignores the variable: nobody is ever asked for it.", "Move it to each service that reads it."),
    "fromDatabase": (REFUSES, "Move it to the service: a group refers to nothing."),
    "fromService": (REFUSES, "Move it to the service: a group refers to nothing."),
    "fromGroup": (REFUSES, "Name both groups at the service: a group holds no group."),
}


def of_group(found: Item, where: str) -> Iterator[Fault]:
    yield from of_service(found, where)
    where = f"{where} {found.of('key')}".strip()
    for name, (then, write) in NOT_IN_A_GROUP.items():
        if name in found.fields:
            problem = f"`{name}` in an environment group"
            yield Fault(found.line_of(name), f"{where}.{name}", problem, then, write)


def unique_keys(holder: Item, where: str) -> Iterator[Fault]:
    """A name that stands twice at one service or in one group."""
    seen: set[str] = set()
    for variable in holder.list("envVars"):
        key = variable.of("key")
        if key and key in seen:
            yield Fault(variable.line, f"{where}.{key}", "stands twice", "One of them wins.", "Keep one of them.")
        seen.add(key)


GROUP = mapping({"name": text, "envVars": list_of(of_group)}, ("name",))
