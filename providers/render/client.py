"""The door to Render: one token in, typed answers out. Every list is read page by page with constant memory.

`Render(token, base)` holds the shared HTTP client; its parts (`services`, `deploys`, …) group the calls by noun.
"""

from __future__ import annotations

import re

from providers.http.api_client import JsonClient
from providers.render.config import Blueprints, EnvVars, Webhooks
from providers.render.deploys import CronRuns, Deploys, Jobs
from providers.render.edge import Addresses, Domains, Routes
from providers.render.groups import EnvGroups, SecretFiles
from providers.render.observe import Events, Logs, Metrics
from providers.render.owners import Owners
from providers.render.postgres import Databases
from providers.render.services import Services
from providers.render.workspace import AuditLogs, Environments, MaintenanceRuns

BASE = "https://api.render.com/v1"
_DEPLOY_BUCKET = re.compile(r"^/services/([^/]+)/(?:deploys|rollback|suspend|resume)$")
_SERVICE = re.compile(r"^/services/([^/]+)$")


def bucket(method: str, path: str) -> str:
    """The rate-limit bucket of a request (api-docs.render.com/reference/rate-limiting)."""
    if path.startswith("/logs"):
        return "logs"
    if method == "GET":
        return "read"
    if path == "/services" and method == "POST":
        return "create-service"
    if match := _DEPLOY_BUCKET.match(path) or (_SERVICE.match(path) if method == "PATCH" else None):
        return f"deploy:{match[1]}"
    return "jobs" if path.endswith("/jobs") else "write"


class Render:
    """Render's API for one key. Raises the errors of `providers.http`."""

    def __init__(
        self, token: str, base: str = BASE, *, timeout: tuple[float, float] = (5.0, 20.0), deadline: float = 45.0
    ) -> None:
        self.http = JsonClient("Render", base, token, bucket=bucket, timeout=timeout, deadline=deadline)
        self.owners = Owners(self.http)
        self.services = Services(self.http)
        self.deploys = Deploys(self.http)
        self.jobs = Jobs(self.http)
        self.cron_runs = CronRuns(self.http)
        self.events = Events(self.http)
        self.logs = Logs(self.http)
        self.metrics = Metrics(self.http)
        self.env_vars = EnvVars(self.http)
        self.env_groups = EnvGroups(self.http)
        self.secret_files = SecretFiles(self.http)
        self.webhooks = Webhooks(self.http)
        self.blueprints = Blueprints(self.http)
        self.databases = Databases(self.http)
        self.domains = Domains(self.http)
        self.routes = Routes(self.http)
        self.addresses = Addresses(self.http)
        self.audit_logs = AuditLogs(self.http)
        self.environments = Environments(self.http)
        self.maintenance_runs = MaintenanceRuns(self.http)
