"""docs/deploy.md as a person follows it, with the sandbox where Render, Supabase and the product stand, and a real S3.

In: an empty directory. Out: a running portal in the shape of the blueprint; what is typed and run comes from the
guide's own tables and boxes.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import requests

from providers.embedded_postgres.server import EmbeddedPostgres
from providers.embedded_postgres.throwaway import throwaway
from sandbox import database
from sandbox.seed import UNTIL
from sandbox.supabase.recovery import Recovery
from sandbox.supabase.server import SupabaseSandbox
from tests.blueprint_platform import ROOT, Platform, platform
from tests.render_sandbox import running
from tests.seaweed import ACCESS_KEY, BUCKET, SECRET_KEY, s3_server

GUIDE = ROOT / "docs" / "deploy.md"
WEB = "sampelit-ops-web"
PURPOSES = ("export", "migration", "restore")


def commands(where: str) -> list[str]:
    """The guide's boxes for one place, line by line."""
    boxes = re.findall(rf"^```sh {where}\n(.*?)^```", GUIDE.read_text(), re.M | re.S)
    return [line for box in boxes for line in box.splitlines() if line]


def typed_names() -> dict[str, str]:
    """The variables that the guide's table tells to type, and at which service."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (\w+) \| .*\|$", GUIDE.read_text(), re.M)
    return dict(rows)


@dataclass
class Outside:
    """What is not the portal's: the providers' addresses, the product's database, the bucket."""

    values: dict[str, str]
    addresses: dict[str, str]
    product: EmbeddedPostgres
    production: str = "production"


@dataclass
class Walk:
    platform: Platform
    outside: Outside
    printed: dict[str, str] = field(default_factory=dict)

    def shell(self, service: str, command: str) -> str:
        """A line of the guide in a service's shell; its end must be good."""
        ended = self.platform.run(service, command)
        self.printed[command] = ended.stdout + ended.stderr
        assert ended.returncode == 0, f"{command}: {self.printed[command][-3000:]}"
        return ended.stdout

    def answers(self, path: str = "/healthz", port: int = 0, **headers: str) -> requests.Response:
        """The web service's answer, once it is up, as Render's proxy asks for it."""
        host = f"{WEB}.onrender.com"
        until = time.monotonic() + 90
        while True:
            try:
                return requests.get(
                    f"http://127.0.0.1:{port or self.platform.port}{path}",
                    headers={"Host": host, "X-Forwarded-Proto": "https", **headers},
                    timeout=30,
                )
            except requests.ConnectionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.3)


@contextmanager
def outside(home: Path, rows: int) -> Iterator[Outside]:
    """The stand-ins. Roles are made by the guide's own SQL, with the sandbox's owner in the place of `postgres`."""
    with ExitStack() as stack:
        recovery = Recovery(home / "product")
        server = stack.enter_context(EmbeddedPostgres(home / "product" / "postgres", options=recovery.options()))
        database.create(server, "production", rows=rows, experiments=4)
        database.create(server, "staging", rows=20, experiments=1, seed=2)
        recovery.ensure_base(server)
        make_roles(server)
        api = SupabaseSandbox(
            server, home / "product", recovery, {"production": "production", "staging": "staging"}, UNTIL
        )
        stack.callback(api.stop)
        render = stack.enter_context(running())
        (home / "s3").mkdir()
        endpoint = stack.enter_context(s3_server(home / "s3"))
        values = {
            "BACKUP_STORE": f"s3://{BUCKET}/portal?region=us-east-1&endpoint={endpoint}",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "BACKUP_REAPER_AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "BACKUP_REAPER_AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "RENDER_API_KEY": render.sandbox.api_key,
            "SUPABASE_ACCESS_TOKEN": api.world.token,
            "EMAIL_HOST": "",
            "EMAIL_HOST_USER": "ops",
            "EMAIL_HOST_PASSWORD": "secret",
            "DEFAULT_FROM_EMAIL": "ops@example.com",
            "NOTIFY_EMAILS": "you@example.com",
        }
        values |= {
            f"SAMPELIT_PRODUCTION_{purpose.upper()}_DSN": server.dsn("production", f"sampelit_ops_{purpose}")
            for purpose in PURPOSES
        }
        addresses = {"RENDER_API_BASE": render.sandbox.base, "SUPABASE_API_BASE": api.base}
        yield Outside(values, addresses, server)


def make_roles(server: EmbeddedPostgres) -> None:
    text = (ROOT / "sampelit_ops" / "sql" / "connect_roles.sql").read_text()
    owned = re.sub(r"\bpostgres\b", "sampelit_owner", text.replace("DATABASE postgres", "DATABASE production"))
    with psycopg.connect(server.dsn("production"), autocommit=True) as connection:
        connection.execute(re.sub(r"PASSWORD-\d", server.password, owned).encode())


def local_keys(tree: Path, values: dict[str, str]) -> dict[str, str]:
    """Step 1 and 2 on a person's own machine, without any variable; what they typed from it into Render's form."""
    public: dict[str, str] = {}
    plain = {"PATH": Platform.search_path(tree), "HOME": str(tree), "BACKUP_STORE": values["BACKUP_STORE"]}
    for line in commands("on your machine"):
        ended = subprocess.run(["/bin/bash", "-c", line], cwd=tree, env=plain, capture_output=True, text=True)
        assert ended.returncode == 0, f"{line}: {ended.stdout[-1000:]}{ended.stderr[-2000:]}"
        if found := re.search(r"--out (\S+)\.key", line):
            printed = re.search(r"(?:RECIPIENTS|PUBLIC_KEYS)=([A-Za-z0-9+/=]+)", ended.stdout)
            public[found[1]] = printed[1] if printed else ""
    held = {name: (tree / f"{name}.key").read_text().strip() for name in public}
    return {
        "BACKUP_AGE_RECIPIENTS": f"{public['backup-1']},{public['backup-2']}",
        "BACKUP_AGE_IDENTITY": held["backup-1"],
        "OPS_SEAL_RECIPIENT": public["seal"],
        "OPS_SEAL_IDENTITY": held["seal"],
        "BACKUP_SIGNING_KEY": held["signing"],
        "BACKUP_PUBLIC_KEYS": public["signing"],
    }


@contextmanager
def deployed(home: Path, rows: int = 2_000, **extra: str) -> Iterator[Walk]:
    """Steps 1 to 5: keys, roles, what is typed, build, pre-deploy, and every long-lived service running."""
    with ExitStack() as stack:
        there = stack.enter_context(outside(home, rows))
        server = stack.enter_context(throwaway())
        with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE portal")
        found = stack.enter_context(platform(home, server.dsn("portal"), {}, there.addresses | extra))
        everything = there.values | local_keys(found.tree, there.values)
        found.typed = {name: everything[name] for name in typed_names()}
        walk = Walk(found, there)
        walk.shell(WEB, "sampelit-ops collectstatic --noinput")
        for service in found.services.values():
            if command := service.get("preDeployCommand"):
                walk.shell(service["name"], command)
        for service in found.services.values():
            if service["type"] != "cron":
                found.start(service["name"])
        yield walk
