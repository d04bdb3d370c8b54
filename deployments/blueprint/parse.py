"""A render.yaml as text becomes what it declares. Pure, bounded in size, depth and aliases.

Values of variables are reduced to fingerprints while parsing; neither the file nor a value is kept or repeated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import yaml

from providers.errors import Refused

MAX_BYTES = 128 * 1024


MOST = 500  # services, and variables of one


MOST_DEPTH = 60
MOST_EVENTS = 8_000  # values and what encloses them: a line of an ordinary file has three


MOST_ALIASES, MOST_ALIASES_MERGED = 1000, 20  # merged aliases multiply, plain ones only refer


TYPES = {
    "web": "web_service",
    "pserv": "private_service",
    "worker": "background_worker",
    "cron": "cron_job",
    "static": "static_site",
}


PLAIN = (
    "plan",
    "region",
    "branch",
    "repo",
    "buildCommand",
    "startCommand",
    "preDeployCommand",
    "healthCheckPath",
    "numInstances",
    "maxShutdownDelaySeconds",
    "schedule",
    "dockerCommand",
    "dockerfilePath",
)


Prints = Mapping[str, str]


@dataclass(frozen=True)
class Part:
    """A service as declared or as it runs: type and settings as text, variables by name, linked groups.

    A variable's fingerprint is empty where the file names it without a value. `variables` is None if never read.
    """

    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    variables: Prints | None = None
    groups: Sequence[str] = ()


@dataclass(frozen=True)
class Declared:
    parts: Sequence[Part]
    groups: Mapping[str, Prints] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        return {"parts": [asdict(part) for part in self.parts], "groups": {k: dict(v) for k, v in self.groups.items()}}

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Declared:
        return cls([Part(**part) for part in data.get("parts", [])], data.get("groups", {}))


def parse(content: bytes, fingerprint: Callable[[str], str]) -> Declared:
    """The declared services and groups. Raises Refused with the line, and never with a piece of the file."""
    data = _loaded(content)
    if not isinstance(data, dict) or not isinstance(data.get("services", []), list):
        raise Refused("That is no render.yaml: it has no list of services. Nothing was read.")
    return _declared(data, fingerprint)


def composed(content: bytes) -> yaml.Node:
    """The file's tree of nodes. Raises Refused with the line, and never with a piece of the file."""
    if len(content) > MAX_BYTES:
        raise Refused(f"That render.yaml is larger than {MAX_BYTES // 1024} KiB. Nothing was read.")
    with _refusing(content):
        _bounded(content)
        node = yaml.compose(content, Loader=yaml.CSafeLoader)
    return node or yaml.MappingNode("tag:yaml.org,2002:map", [], yaml.Mark("", 0, 0, 0, "", 0))


def _loaded(content: bytes) -> Any:
    composed(content)
    with _refusing(content):
        return yaml.load(content, Loader=yaml.CSafeLoader)


@contextmanager
def _refusing(content: bytes) -> Iterator[None]:
    try:
        yield
    except yaml.MarkedYAMLError as error:
        last = len(content.splitlines())  # libyaml counts the end as a line
        line = f" in line {min(error.problem_mark.line + 1, last)}" if error.problem_mark else ""
        raise Refused(f"That is no YAML{line}. Nothing was read.") from None
    except (yaml.YAMLError, RecursionError, ValueError, TypeError, OverflowError):
        raise Refused("That is no YAML that Render would read. Nothing was read.") from None


def _bounded(content: bytes) -> None:
    """Refuse what would multiply, or nest so deeply that the parser stalls (its time grows with the square)."""
    depth = 0
    for mark in re.findall(rb"[][{}]", content):
        depth = depth + 1 if mark in b"[{" else max(depth - 1, 0)
        if depth > MOST_DEPTH:
            raise Refused("That render.yaml nests too deeply. Nothing was read.")
    aliases, merges, depth = 0, False, 0
    for number, event in enumerate(yaml.parse(content, Loader=yaml.CSafeLoader)):
        if number > MOST_EVENTS:
            raise Refused(f"That render.yaml holds more than {MOST_EVENTS:,} values. Nothing was read.")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            raise Refused("That render.yaml nests too deeply. Nothing was read.")
        aliases += isinstance(event, yaml.AliasEvent)
        merges = merges or (isinstance(event, yaml.ScalarEvent) and event.value == "<<")
        if aliases > (MOST_ALIASES_MERGED if merges else MOST_ALIASES):
            raise Refused("That render.yaml repeats itself too often by aliases. Nothing was read.")


def _declared(data: Mapping[str, Any], fingerprint: Callable[[str], str]) -> Declared:
    """Also what newer files nest in projects and environments."""
    scopes = [data, *(project for project in _maps(data.get("projects"))), *_nested(data)]
    parts = [
        _part(service, fingerprint)
        for scope in scopes
        for service in _maps(scope.get("services"))
        if service.get("name")
    ]
    shared = [group for scope in scopes for group in _maps(scope.get("envVarGroups"))]
    return Declared(parts[:MOST], {_text(group.get("name")): _variables(group, fingerprint) for group in shared})


def _nested(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for project in _maps(data.get("projects")):
        yield from _maps(project.get("environments"))


def _part(service: Mapping[str, Any], fingerprint: Callable[[str], str]) -> Part:
    settings = {name: _text(service[name]) for name in PLAIN if service.get(name) is not None}
    runtime = _text(service.get("runtime") or service.get("env"))
    if runtime and runtime != "static":
        settings["runtime"] = runtime
    if kind := TYPES.get("static" if runtime == "static" else _text(service.get("type"))):
        settings["type"] = kind
    if "staticPublishPath" in service:
        settings["publishPath"] = _text(service["staticPublishPath"])
    if "autoDeploy" in service or "autoDeployTrigger" in service:
        settings["autoDeploy"] = _autodeploy(service)
    groups = sorted(_text(var["fromGroup"]) for var in _maps(service.get("envVars")) if var.get("fromGroup"))
    return Part(_text(service["name"]), settings, _variables(service, fingerprint), groups)


def _autodeploy(service: Mapping[str, Any]) -> str:
    trigger = _text(service.get("autoDeployTrigger"))
    if trigger == "checksPass":
        return "after checks"
    return (
        "on" if trigger == "commit" or (not trigger and service.get("autoDeploy") in (True, "yes", "true")) else "off"
    )


def _variables(holder: Mapping[str, Any], fingerprint: Callable[[str], str]) -> dict[str, str]:
    named = [var for var in _maps(holder.get("envVars")) if var.get("key")]
    return {
        _text(var["key"]): fingerprint(_text(var["value"])) if var.get("value") is not None else "" for var in named
    }


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value[:MOST] if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    """A scalar as Render's API shows it; anything else is no setting."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None or isinstance(value, dict | list) else str(value)[:500].strip()
