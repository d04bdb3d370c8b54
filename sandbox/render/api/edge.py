"""Domains, redirects, outbound addresses and runs of cron jobs of the sandbox."""

from __future__ import annotations

from typing import Any

from sandbox.render.routing import Request, page, required, route
from sandbox.render.world import ApiError, Json, World

OUTBOUND = ["203.0.113.10", "203.0.113.11"]


def _domains(world: World, service: str) -> list[Json]:
    target = world.service(service)
    seeded = [_domain(world, "app.sampelit.example", "verified")] if target["name"] == "sampelit-api" else []
    return world.things.setdefault("domains", {}).setdefault(service, seeded)


def _domain(world: World, name: str, verification: str) -> Json:
    return {
        "id": world.new_id("cdm", name),
        "name": name,
        "domainType": "subdomain",
        "publicSuffix": "example",
        "redirectForName": "",
        "verificationStatus": verification,
        "createdAt": world.stamp(),
    }


def add_domain(world: World, service: str, name: str) -> None:
    """One whose DNS entry is not there yet."""
    _domains(world, service).append(_domain(world, name, "unverified"))


def _named(world: World, service: str, domain: str) -> Json:
    for candidate in _domains(world, service):
        if domain in (candidate["id"], candidate["name"]):
            return candidate
    raise ApiError(404, "custom domain not found")


@route("GET", "/services/{service}/custom-domains/{domain}")
def domain(world: World, request: Request, service: str, domain: str) -> tuple[int, Any]:
    return 200, _named(world, service, domain)


@route("POST", "/services/{service}/custom-domains/{domain}/verify")
def verify(world: World, request: Request, service: str, domain: str) -> tuple[int, Any]:
    """Found where `things["dns"]` has the entry."""
    target = _named(world, service, domain)
    if target["name"] in world.things.setdefault("dns", []):
        target["verificationStatus"] = "verified"
    return 202, None


def _routes(world: World, service: str) -> list[Json]:
    static = world.service(service)["type"] == "static_site"
    rules = [("redirect", "/pricing", "/plans"), ("rewrite", "/*", "/index.html")] if static else []
    seeded = [
        {"id": world.new_id("rdr", service + source), "type": kind, "source": source, "destination": destination}
        for kind, source, destination in rules
    ]
    return world.things.setdefault("routes", {}).setdefault(service, seeded)


@route("GET", "/services/{service}/routes")
def routes(world: World, request: Request, service: str) -> tuple[int, Any]:
    numbered = [rule | {"priority": number} for number, rule in enumerate(_routes(world, service))]
    return 200, page(request, "route", numbered)


@route("PATCH", "/services/{service}/routes/{rule}")
def move(world: World, request: Request, service: str, rule: str) -> tuple[int, Any]:
    rules = _routes(world, service)
    target = next((candidate for candidate in rules if candidate["id"] == rule), None)
    if target is None:
        raise ApiError(404, "route not found")
    priority = request.body.get("priority")
    if not isinstance(priority, int) or not 0 <= priority < len(rules):
        raise ApiError(400, "priority is out of range")
    rules.remove(target)
    rules.insert(priority, target)
    return 200, {"headers": target | {"priority": priority}}


@route("GET", "/services/{service}/outbound-ips")
def outbound(world: World, request: Request, service: str) -> tuple[int, Any]:
    world.service(service)
    return 200, {"type": "shared", "ips": world.things.setdefault("outbound", list(OUTBOUND))}


def _cron_job(world: World, job: str) -> Json:
    if world.service(job)["type"] != "cron_job":
        raise ApiError(404, "cron job not found")
    return world.things.setdefault("runs", {})


@route("POST", "/cron-jobs/{job}/runs")
def run(world: World, request: Request, job: str) -> tuple[int, Any]:
    """A run that is under way is cancelled; the new one ends with the next `end_run`."""
    runs = _cron_job(world, job)
    if job in runs:
        end_run(world, job, "canceled")
    runs[job] = world.new_id("crr")
    world.event(job, "cron_job_run_started", {"cronJobRunId": runs[job]})
    return 200, {"id": runs[job], "status": "pending"}


@route("DELETE", "/cron-jobs/{job}/runs")
def cancel(world: World, request: Request, job: str) -> tuple[int, Any]:
    if job not in _cron_job(world, job):
        raise ApiError(404, "no run is under way")
    end_run(world, job, "canceled")
    return 204, None


def end_run(world: World, job: str, status: str) -> None:
    run = world.things["runs"].pop(job)
    world.event(job, "cron_job_run_ended", {"cronJobRunId": run, "status": status})


@route("PUT", "/services/{service}/secret-files/{name}")
def set_file(world: World, request: Request, service: str, name: str) -> tuple[int, Any]:
    world.service(service)
    (content,) = required(request.body, "content")
    world.files.setdefault(service, {})[name] = content
    return 201, {"name": name, "content": content}


@route("DELETE", "/services/{service}/secret-files/{name}")
def delete_file(world: World, request: Request, service: str, name: str) -> tuple[int, Any]:
    world.service(service)
    if world.files.get(service, {}).pop(name, None) is None:
        raise ApiError(404, "secret file not found")
    return 204, None
