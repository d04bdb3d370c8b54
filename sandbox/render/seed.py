"""What the sandbox holds at first: Sampelit's services on two environments, two weeks of deploys, their variables."""

from __future__ import annotations

import os
from datetime import timedelta

from sandbox.refs import supabase_url
from sandbox.render.api.groups import new_group
from sandbox.render.seed_history import _history
from sandbox.render.world import OWNER, Json, World

MESSAGES = (
    "Cap variant weight at the configured share",
    "Cache experiment lookups for a minute",
    "Record the segment key with every decision",
    "Fix the Thompson prior for new variants",
    "Return 409 on a duplicate assignment",
    "Log algorithm version on conversion",
    "Speed up the audit trail page",
    "Validate webhook signatures of integrations",
    "Show lift with its interval",
    "Update FastAPI",
    "Add a health detail for the pooler",
    "Retry platform sync jobs",
    "Round conversion values to cents",
    "Tidy the onboarding flow",
)
LARGE_TEAM = ("docs", "landing", "widget", "dashboard", "integrations-status", "customer-reports-archive")
SECRET_NAMES = ("DATABASE_URL", "SUPABASE_SERVICE_KEY", "JWT_SECRET", "SUPABASE_URL", "SUPABASE_ANON_KEY")


def seed(world: World) -> None:
    """Fills an empty world; ids are the same in every sandbox, times are relative to now."""
    for branch in ("main", "develop"):
        world.commits[branch] = [_commit(world, branch, number, text) for number, text in enumerate(MESSAGES)]
    _service(world, "sampelit-api", "web_service", "main", "production", auto=False)
    _service(world, "sampelit-web", "static_site", "main", "production", auto=True)
    _service(world, "sampelit-api-staging", "web_service", "develop", "staging", auto=True)
    _service(world, "sampelit-web-staging", "static_site", "develop", "staging", auto=True)
    _preview(world, 41)
    if os.environ.get("SANDBOX_TEAM") == "large":
        _large_team(world)
    _groups(world)
    for service in world.services:
        _history(world, service)
        if world.services[service]["type"] == "web_service":
            _crash(world, service)


def _large_team(world: World) -> None:
    """Eight services in production, in staging and as previews: what a home page must stay readable with."""
    for name in LARGE_TEAM:
        _service(world, f"sampelit-{name}", "static_site", "main", "production", auto=True)
        _service(world, f"sampelit-{name}-staging", "static_site", "develop", "staging", auto=True)
    for number in range(42, 49):
        _preview(world, number)


def _commit(world: World, branch: str, number: int, text: str) -> Json:
    at = world.now() - timedelta(days=len(MESSAGES) - number, minutes=37)
    sha = (world.new_id("c", f"{branch}{number}")[2:] * 2)[:40]
    return {"id": sha, "message": text, "createdAt": world.stamp(at)}


def _service(world: World, name: str, kind: str, branch: str, environment: str, *, auto: bool) -> str:
    made = world.stamp(world.now() - timedelta(days=90))
    service = world.new_id("srv", name)
    world.services[service] = {
        "id": service,
        "name": name,
        "slug": name,
        "type": kind,
        "ownerId": OWNER,
        "autoDeploy": "yes" if auto else "no",
        "autoDeployTrigger": "commit" if auto else "off",
        "branch": branch,
        "rootDir": "",
        "repo": "https://github.com/asanchezmanas/sampelit",
        "environmentId": world.new_id("evm", environment),
        "dashboardUrl": f"https://dashboard.render.com/web/{service}",
        "notifyOnFail": "default",
        "suspended": "not_suspended",
        "suspenders": [],
        "createdAt": made,
        "updatedAt": made,
        "serviceDetails": _details(name, kind),
        "_environment": environment,
    }
    world.deploys[service], world.events[service], world.jobs[service] = [], [], []
    world.env[service] = _variables(environment, name) if kind == "web_service" else {"PUBLIC_API": f"/apps/{name}"}
    return service


def _details(name: str, kind: str) -> Json:
    if kind == "static_site":
        return {
            "buildCommand": "npm run build",
            "publishPath": "dist",
            "url": f"/apps/{name}",
            "buildPlan": "starter",
            "pullRequestPreviewsEnabled": "yes",
            "previews": {"generation": "automatic"},
        }
    return {
        "env": "python",
        "runtime": "python",
        "plan": "starter",
        "region": "frankfurt",
        "numInstances": 1,
        "buildPlan": "starter",
        "healthCheckPath": "/health",
        "url": f"/apps/{name}",
        "maxShutdownDelaySeconds": 30,
        "openPorts": [{"port": 10000, "protocol": "TCP"}],
        "maintenanceMode": {"enabled": False, "uri": ""},
        "envSpecificDetails": {
            "buildCommand": "pip install -r requirements.txt",
            "startCommand": "uvicorn main:app --host 0.0.0.0 --port $PORT",
            "preDeployCommand": "python -m sampelit.check",
        },
        "previews": {"generation": "off"},
        "pullRequestPreviewsEnabled": "no",
        "renderSubdomainPolicy": "enabled",
        "sshAddress": f"{name}@ssh.frankfurt.render.com",
    }


def _variables(environment: str, name: str) -> dict[str, str]:
    secret = {key: world_secret(environment, key) for key in SECRET_NAMES}
    return secret | {
        "IS_DEVELOPMENT": "false",
        "JWT_ALGORITHM": "HS256",
        "API_RATE_LIMIT": "100",
        "ALLOWED_ORIGINS": f"https://{name.replace('-api', '-web')}.example",
        "SUPABASE_URL": supabase_url(environment),
    }


def world_secret(environment: str, key: str) -> str:
    """A made-up value that is recognisable in a leak test."""
    return f"sandbox-{environment}-{key.lower().replace('_', '-')}"


GROUPS: dict[str, tuple[list[str], dict[str, str], dict[str, str]]] = {
    "sampelit-common": (
        ["sampelit-api", "sampelit-api-staging"],
        {"PYTHON_VERSION": "3.11.7", "MAIL_FROM": "hello@sampelit.example", "PLATFORM_SYNC_MINUTES": "15"},
        {},
    ),
    "sampelit-production": (
        ["sampelit-api"],
        {"SENTRY_DSN": "sandbox-production-sentry-dsn"},
        {"shopify-app.json": '{"secret": "sandbox-production-shopify-app"}'},
    ),
    "sampelit-staging": (["sampelit-api-staging"], {"SENTRY_DSN": "sandbox-staging-sentry-dsn"}, {}),
}


def _groups(world: World) -> None:
    """Variables that reach services through a linked group; one of them only so."""
    for name, (services, variables, files) in GROUPS.items():
        group = new_group(world, world.new_id("evg", name), name, OWNER)
        group["_env"], group["_files"] = dict(variables), dict(files)
        group["_services"] = [world.new_id("srv", service) for service in services]
    world.files[world.new_id("srv", "sampelit-api")] = {"gcp.json": "sandbox-production-gcp-json"}


def _preview(world: World, number: int) -> None:
    parent = world.new_id("srv", "sampelit-web")
    preview = _service(world, f"sampelit-web-pr-{number}", "static_site", "try-new-chart", "preview", auto=True)
    world.commits["try-new-chart"] = world.commits["develop"][-3:]
    details = world.services[preview]["serviceDetails"]
    details["parentServer"] = {"id": parent, "name": "sampelit-web"}
    world.services[preview]["createdAt"] = world.stamp(world.now() - timedelta(days=9))


def _crash(world: World, service: str) -> None:
    """Every web service ran out of memory once, three days ago."""
    at = world.now() - timedelta(days=3, hours=5)
    reason = {"evicted": False, "oomKilled": {"memoryLimit": "512Mi"}}
    world.event(service, "server_failed", {"instanceID": f"{service}-abcde", "reason": reason}, at, send=False)
