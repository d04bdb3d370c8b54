"""What a field may hold, as small checks that combine: an `Item` and where it stands in, faults out. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from ipaddress import ip_network

from deployments.blueprint.rules.items import Fault, Item

Shape = Callable[[Item, str], Iterator[Fault]]

REFUSES = "Render refuses the whole file."
SWITCHES = {"true", "false", "yes", "no", "on", "off"}


def words(values: Collection[str]) -> str:
    """`a`, `b` or `c`."""
    *some, last = [f"`{value}`" for value in values]
    return f"{', '.join(some)} or {last}" if some else last


def text(found: Item, where: str) -> Iterator[Fault]:
    if found.kind in ("list", "mapping", "nothing"):
        yield Fault(found.line, where, f"{_a(found)} stands where text belongs", REFUSES, "Write one line of text.")
    elif not found.text.strip():
        yield Fault(found.line, where, "is empty", REFUSES, "Fill it in, or leave the field out.")


def matching(pattern: str, wanted: str) -> Shape:
    """Text of a form; `wanted` says it to a person."""

    def check(found: Item, where: str) -> Iterator[Fault]:
        wrong = list(text(found, where))
        if not wrong and not re.fullmatch(pattern, found.text):
            wrong = [Fault(found.line, where, f"{_shown(found)} is not {wanted}", REFUSES, f"Write {wanted}.")]
        yield from wrong

    return check


def one_of(*values: str, hints: Mapping[str, str] | None = None) -> Shape:
    """One of a few words; `hints` name the right one for a usual mistake."""

    def check(found: Item, where: str) -> Iterator[Fault]:
        if found.kind in ("list", "mapping") or found.text not in values:
            near = (hints or {}).get(found.text) or next(iter(difflib.get_close_matches(found.text, values, 1)), "")
            write = f"Write `{near}`." if near else f"Write {words(values)}."
            yield Fault(found.line, where, f"{_shown(found)} is none of its values", REFUSES, write)

    return check


def integer(low: int, high: int) -> Shape:
    def check(found: Item, where: str) -> Iterator[Fault]:
        if found.kind != "integer" or not found.text.isdecimal() or not low <= int(found.text) <= high:
            problem = f"{_shown(found)} is no number from {low} to {high}"
            yield Fault(found.line, where, problem, REFUSES, f"Write a whole number from {low} to {high}, unquoted.")

    return check


def switch(found: Item, where: str) -> Iterator[Fault]:
    if found.kind != "boolean" or found.text.lower() not in SWITCHES:
        yield Fault(found.line, where, f"{_shown(found)} is neither true nor false", REFUSES, "Write true or false.")


def network(found: Item, where: str) -> Iterator[Fault]:
    try:
        ip_network(found.text, strict=False)
    except ValueError:
        problem = f"{_shown(found)} is no address and no range"
        yield Fault(found.line, where, problem, REFUSES, "Write CIDR notation, e.g. `203.0.113.0/24`.")


def list_of(shape: Shape, most: int = 1000) -> Shape:
    def check(found: Item, where: str) -> Iterator[Fault]:
        if found.kind != "list":
            yield Fault(found.line, where, f"{_a(found)} stands where a list belongs", REFUSES, "Write a list: `- …`.")
            return
        if len(found.items) > most:
            yield Fault(found.line, where, f"{len(found.items)} entries", REFUSES, f"Keep at most {most}.")
        for number, entry in enumerate(found.items):
            yield from shape(entry, f"{where}[{number}]")

    return check


def mapping(
    fields: Mapping[str, Shape], required: Collection[str] = (), elsewhere: Mapping[str, str] | None = None
) -> Shape:
    """A mapping of these fields and no other; `elsewhere` says why a known field is not for this one."""

    def check(found: Item, where: str) -> Iterator[Fault]:
        if found.kind != "mapping":
            problem = f"{_a(found)} stands where fields belong"
            yield Fault(found.line, where or "the file", problem, REFUSES, f"Write {words(list(fields)[:6])}.")
            return
        for name, value in found.fields.items():
            if name in fields:
                yield from fields[name](value, f"{where}.{name}".lstrip("."))
            else:
                yield _unknown(name, value, where, fields, elsewhere or {})
        for name in required:
            if name not in found.fields:
                yield Fault(found.line, where, f"`{name}` is missing", REFUSES, f"Add `{name}:`.")

    return check


HINTS = {  # names that other platforms use, or that are nearly right
    "environment": "envVars",
    "env_vars": "envVars",
    "environmentVariables": "envVars",
    "variables": "envVars",
    "envVarGroup": "envVarGroups",
    "instances": "numInstances",
    "replicas": "numInstances",
    "healthcheckPath": "healthCheckPath",
    "healthCheck": "healthCheckPath",
    "autodeploy": "autoDeployTrigger",
    "cronSchedule": "schedule",
    "version": "postgresMajorVersion",
    "postgresVersion": "postgresMajorVersion",
    "rootDirectory": "rootDir",
    "publishPath": "staticPublishPath",
    "publishDirectory": "staticPublishPath",
    "releaseCommand": "preDeployCommand",
    "afterFirstDeployCommand": "initialDeployHook",
}


def _unknown(name: str, value: Item, where: str, fields: Mapping[str, Shape], elsewhere: Mapping[str, str]) -> Fault:
    if name in elsewhere:
        reason = elsewhere[name]
        return Fault(value.line, where or "the file", f"`{name}` is for {reason} only", REFUSES, "Leave it out.")
    hint = HINTS.get(name)
    near = hint if hint in fields else next(iter(difflib.get_close_matches(name, fields, 1, 0.7)), "")
    write = f"Write `{near}`." if near else "Leave it out."
    return Fault(value.line, where or "the file", f"`{name}` is no field of it", REFUSES, write)


def _a(found: Item) -> str:
    return {"nothing": "nothing", "integer": "an integer"}.get(found.kind, f"a {found.kind}")


def _shown(found: Item) -> str:
    """A setting's text, never a long one: the file may be anybody's."""
    return f"`{found.text[:40]}`" if found.kind not in ("list", "mapping", "nothing") else _a(found)
