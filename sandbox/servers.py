"""What the sandbox starts. Each function takes the stage, starts one server in threads and returns NAME=value pairs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from providers.embedded_postgres.server import EmbeddedPostgres
from sandbox import database
from sandbox.health import Health
from sandbox.render import RenderSandbox
from sandbox.render.applications import answer as application
from sandbox.supabase.recovery import Recovery
from sandbox.supabase.server import SupabaseSandbox
from sandbox.traffic import Traffic
from sandbox.web import base_url, serve

STAGING_SHARE = 20
PRODUCT = "/apps/sampelit-api/"


@dataclass
class Stage:
    """Everything the servers share; `closing` undoes them in reverse order."""

    server: EmbeddedPostgres
    data_dir: Path
    recovery: Recovery
    until: datetime
    rows: int = 20_000
    experiments: int = 12
    live: float = 0
    port: int | None = None
    names: dict[str, str] = field(default_factory=dict)
    traffic: Traffic | None = None
    render: RenderSandbox | None = None
    healths: dict[str, Health] = field(default_factory=dict)
    closing: ExitStack = field(default_factory=ExitStack)
    _offset: int = 0

    def next_port(self) -> int:
        """The next port from `--port` on, or 0 (a free one) without it."""
        self._offset += 1
        return self.port + self._offset - 1 if self.port else 0

    def dsn(self, environment: str, role: str) -> str:
        return database.dsns(self.server, self.names[environment])[role]


def databases(stage: Stage) -> dict[str, str]:
    """Production and a smaller staging; other sizes get databases of other names, so nothing is ever overwritten."""
    rows = {"production": stage.rows, "staging": max(stage.rows // STAGING_SHARE, 1)}
    experiments = {"production": stage.experiments, "staging": max(stage.experiments // 3, 1)}
    pairs = {}
    for seed, environment in enumerate(rows, 1):
        usual = (stage.rows, stage.experiments) == (20_000, 12)
        name = f"sampelit_{environment}" + ("" if usual else f"_{stage.rows}x{stage.experiments}")
        database.create(stage.server, name, rows[environment], experiments[environment], seed, stage.until)
        stage.names[environment] = name
        for role in ("export", "migration", "restore"):
            pairs[f"SAMPELIT_{environment.upper()}_{role.upper()}_DSN"] = stage.dsn(environment, role)
    return pairs


def health(stage: Stage) -> dict[str, str]:
    pairs = {}
    for environment, variable in (("production", "SANDBOX_HEALTH_URL"), ("staging", "SANDBOX_STAGING_HEALTH_URL")):
        stage.healths[environment] = Health(stage.dsn(environment, "app"), environment)
        server = serve(stage.healths[environment].answer, stage.next_port())
        stage.closing.callback(server.shutdown)
        pairs[variable] = f"{base_url(server)}/health"
    return pairs


def supabase(stage: Stage) -> dict[str, str]:
    """The Management API over both databases; point-in-time recovery needs the options the server was started with."""
    home = stage.data_dir / "supabase" / stage.names["production"]
    api = SupabaseSandbox(stage.server, home, stage.recovery, stage.names, stage.until, stage.next_port())
    stage.closing.callback(api.stop)
    return {"SUPABASE_API_BASE": api.base, "SUPABASE_ACCESS_TOKEN": api.world.token}


def render(stage: Stage) -> dict[str, str]:
    """Render's API, and the applications it runs, whose deploys take a few seconds; its state survives a restart."""
    api = stage.render = RenderSandbox(port=stage.next_port(), state=stage.data_dir / "render.json").start()
    stage.closing.callback(api.stop)
    secret = api.world.webhook_secret
    for environment, service in (("production", "sampelit-api"), ("staging", "sampelit-api-staging")):
        stage.healths[environment].deployed = partial(api.state_of, service)
    return {"RENDER_API_BASE": api.base, "RENDER_API_KEY": api.api_key, "RENDER_WEBHOOK_SECRET": secret}


def traffic(stage: Stage) -> dict[str, str]:
    """Visitors of the product, who stay away while Render answers for it (maintenance mode, suspended)."""

    def serving() -> bool:
        return stage.render is None or application(stage.render.world, PRODUCT)[0] < 500

    stage.traffic = Traffic(stage.dsn("production", "app"), stage.live, serving=serving)
    stage.traffic.start()
    stage.closing.callback(stage.traffic.stop)
    return {}


SERVERS: list[Callable[[Stage], dict[str, str]]] = [databases, health, supabase, render, traffic]
