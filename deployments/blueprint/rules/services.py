"""The fields of each type of service, by Render's blueprint reference: which there are, and what each takes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deployments.blueprint.rules import variables
from deployments.blueprint.rules.items import Fault, Item
from deployments.blueprint.rules.schedule import schedule
from deployments.blueprint.rules.shapes import (
    REFUSES,
    Shape,
    integer,
    list_of,
    mapping,
    matching,
    network,
    one_of,
    switch,
    text,
)
from deployments.blueprint.rules.words import (
    CRON_PLANS,
    EVICTION_POLICIES,
    KEY_VALUE_PLANS,
    PLAN_HINTS,
    REGIONS,
    RUNTIMES,
    TYPE_HINTS,
    TYPES,
    WEB_PLANS,
    WORKER_PLANS,
)

INSIDE = matching(r"(?!/)(?!(?:.*/)?\.\.(?:/|$)).+", "a path inside the repository, without a leading / or ..")
HOST = matching(r"(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", "a host name without scheme and path")
CREDENTIAL = mapping({"fromRegistryCreds": mapping({"name": text}, ("name",))}, ("fromRegistryCreds",))
ALLOWED = list_of(mapping({"source": network, "description": text}, ("source",)))
PATHS = list_of(text)


def _plan(*plans: str) -> Shape:
    return one_of(*plans, hints=PLAN_HINTS)


BASIC: dict[str, Shape] = {
    "type": one_of(*TYPES, hints=TYPE_HINTS),
    "name": text,
    "region": one_of(*REGIONS),
    "runtime": one_of(*RUNTIMES, hints={"python3": "python", "nodejs": "node", "golang": "go"}),
    "env": one_of(*RUNTIMES, hints={"python3": "python", "nodejs": "node", "golang": "go"}),
    "repo": matching(r"https?://\S+|git@\S+:\S+|[\w.-]+/[\w.-]+", "a repository's https address"),
    "branch": text,
    "image": mapping({"url": text, "creds": CREDENTIAL}, ("url",)),
    "rootDir": INSIDE,
    "dockerCommand": text,
    "dockerContext": matching(r"(?!/).+", "a path inside the repository"),
    "dockerfilePath": matching(r"(?!/).+", "a path inside the repository"),
    "registryCredential": CREDENTIAL,
    "buildCommand": text,
    "startCommand": text,
    "envVars": list_of(variables.of_service),
    "autoDeploy": switch,
    "autoDeployTrigger": one_of("commit", "checksPass", "off", hints={"true": "commit", "false": "off"}),
    "buildFilter": mapping({"paths": PATHS, "ignoredPaths": PATHS}),
}
SERVER: dict[str, Shape] = BASIC | {
    "numInstances": integer(1, 100),
    "scaling": mapping(
        {
            "minInstances": integer(1, 100),
            "maxInstances": integer(1, 100),
            "targetMemoryPercent": integer(1, 90),
            "targetCPUPercent": integer(1, 90),
        },
        ("minInstances", "maxInstances"),
    ),
    "preDeployCommand": text,
    "initialDeployHook": text,
    "disk": mapping(
        {"name": text, "mountPath": matching(r"/[^/].*", "an absolute path"), "sizeGB": integer(1, 16_384)},
        ("name", "mountPath"),
    ),
    "maxShutdownDelaySeconds": integer(1, 300),
    "pullRequestPreviewsEnabled": switch,
    "previewPlan": _plan(*WEB_PLANS),
}
ON_THE_WEB: dict[str, Shape] = {
    "domain": HOST,
    "domains": list_of(HOST),
    "ipAllowList": ALLOWED,
    "renderSubdomainPolicy": one_of("enabled", "disabled"),
}


def _previews(*plans: str) -> Shape:
    modes = one_of("manual", "automatic", "off")
    return mapping({"generation": modes, "numInstances": integer(1, 100), "plan": _plan(*plans)})


WEB: dict[str, Shape] = (
    SERVER
    | ON_THE_WEB
    | {
        "plan": _plan(*WEB_PLANS),
        "previews": _previews(*WEB_PLANS),
        "healthCheckPath": matching(r"/\S*", "a path that begins with /"),
        "maintenanceMode": mapping({"enabled": switch, "uri": matching(r"https?://\S+", "an https address")}),
    }
)
WORKER: dict[str, Shape] = SERVER | {"plan": _plan(*WORKER_PLANS), "previews": _previews(*WORKER_PLANS)}
CRON: dict[str, Shape] = BASIC | {"plan": _plan(*CRON_PLANS), "schedule": schedule}
NOT_STATIC = ("image", "dockerCommand", "dockerContext", "dockerfilePath", "registryCredential", "startCommand")
HEADER = {"path": text, "name": text, "value": text}
STATIC: dict[str, Shape] = (
    {name: shape for name, shape in BASIC.items() if name not in NOT_STATIC}
    | ON_THE_WEB
    | {
        "plan": _plan(*WEB_PLANS),
        "staticPublishPath": INSIDE,
        "previews": _previews(*WEB_PLANS),
        "pullRequestPreviewsEnabled": switch,
        "headers": list_of(mapping(HEADER, tuple(HEADER))),
        "routes": list_of(
            mapping(
                {"type": one_of("redirect", "rewrite"), "source": text, "destination": text},
                ("type", "source", "destination"),
            )
        ),
    }
)
KEY_VALUE: dict[str, Shape] = {
    "type": BASIC["type"],
    "name": text,
    "region": BASIC["region"],
    "plan": _plan(*KEY_VALUE_PLANS),
    "previewPlan": _plan(*KEY_VALUE_PLANS),
    "ipAllowList": ALLOWED,
    "maxmemoryPolicy": one_of(*EVICTION_POLICIES),
}
OWN = {  # of one type or a few: why it is refused elsewhere
    "schedule": "cron jobs",
    "staticPublishPath": "static sites",
    "headers": "static sites",
    "routes": "static sites",
    "maxmemoryPolicy": "Key Value instances",
    "healthCheckPath": "web services",
    "maintenanceMode": "web services",
    "domain": "web services and static sites",
    "domains": "web services and static sites",
    "renderSubdomainPolicy": "web services and static sites",
    "ipAllowList": "web services, static sites, databases and Key Value instances",
    "startCommand": "services with processes",
    **dict.fromkeys(
        ("numInstances", "scaling", "preDeployCommand", "initialDeployHook", "disk", "maxShutdownDelaySeconds"),
        "web services, private services and workers",
    ),
}
SHAPES: Mapping[str, tuple[Mapping[str, Shape], tuple[str, ...]]] = {
    "web": (WEB, ("name",)),
    "static": (STATIC, ("name", "staticPublishPath")),
    "pserv": (WORKER, ("name",)),
    "worker": (WORKER, ("name",)),
    "cron": (CRON, ("name", "schedule")),
    "keyvalue": (KEY_VALUE, ("name", "ipAllowList")),
}


def kind_of(found: Item) -> str:
    """The type whose rules hold: a static site is a web service with its runtime."""
    kind = found.of("type")
    if kind == "web" and "static" in (found.of("runtime"), found.of("env")):
        return "static"
    return {"redis": "keyvalue"}.get(kind, kind)


def service(found: Item, where: str) -> Iterator[Fault]:
    """The fields of one entry of `services`. A workflow's are not published: only its name is asked for."""
    where = f"{where} {found.of('name')}".strip()
    if found.kind == "mapping" and "type" not in found.fields:
        yield Fault(found.line, where, "`type` is missing", REFUSES, "Add `type: web`, `worker`, `cron`, …")
        return
    kind = kind_of(found)
    if kind == "workflow":
        yield from () if found.of("name") else [Fault(found.line, where, "`name` is missing", REFUSES, "Add `name:`.")]
    elif kind in SHAPES or found.kind != "mapping":
        fields, required = SHAPES.get(kind, (WEB, ()))
        yield from mapping(fields, required, OWN)(found, where)
    else:
        yield from BASIC["type"](found.fields["type"], f"{where}.type")
