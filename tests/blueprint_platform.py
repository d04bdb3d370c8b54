"""render.yaml as Render would run it, on this machine: every service's variables resolved, its commands started.

In: what a person types (`sync: false`) and the portal's database. Out: processes by service name, from a copy of the
tree; each keeps a log beside it. Nothing outlives the block.
"""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from deployments.blueprint.rules.words import MEMORY_MB
from providers.processes import kill_group, spawn
from tests.plan_limits import PlanLimit

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = ("tests/", "bench/")


@dataclass
class Platform:
    """One blueprint: `typed` is what a person gave for `sync: false`, `extra` what the machine differs in."""

    home: Path
    database_url: str
    typed: Mapping[str, str]
    extra: Mapping[str, str] = field(default_factory=dict)
    running: dict[str, list[subprocess.Popen[bytes]]] = field(default_factory=dict)
    generated: dict[tuple[str, str], str] = field(default_factory=dict)
    limits: list[PlanLimit] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tree = self.home / "tree"
        copy_tree(self.tree)
        self.blueprint: dict[str, Any] = yaml.safe_load((self.tree / "render.yaml").read_text())
        self.services = {service["name"]: service for service in self.blueprint["services"]}
        self.port = free_port()

    def asked(self) -> list[str]:
        """The names that Render asks a person for."""
        variables = [variable for service in self.services.values() for variable in service["envVars"]]
        return [variable["key"] for variable in variables if variable.get("sync") is False]

    def environment(self, name: str) -> dict[str, str]:
        """What the platform gives to a service's processes."""
        service = self.services[name]
        declared: dict[str, str] = {}
        for variable in service["envVars"]:
            if "fromGroup" in variable:
                group = next(g for g in self.blueprint["envVarGroups"] if g["name"] == variable["fromGroup"])
                declared |= {each["key"]: self._value(name, each) for each in group["envVars"]}
            else:
                declared[variable["key"]] = self._value(name, variable)
        return {**self._given(name), **{key: value for key, value in declared.items() if value}, **self.extra}

    def run(self, name: str, command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A command in a service's shell, to its end."""
        return subprocess.run(
            ["/bin/bash", "-c", command],
            env=self.environment(name) | more,
            cwd=self.tree,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def start(self, name: str, **more: str) -> subprocess.Popen[bytes]:
        """Its start command, as the platform's shell would exec it, within the memory of its plan."""
        service = self.services[name]
        limit = PlanLimit(f"{name}-{len(self.limits)}", MEMORY_MB[service["plan"]])
        self.limits.append(limit)
        command = f"{limit.prefix}exec {service['startCommand']}"
        with (self.home / f"{name}.log").open("ab") as log:
            environment = self.environment(name) | more
            process = spawn(["/bin/bash", "-c", command], env=environment, cwd=self.tree, stdout=log, stderr=log)
        limit.watched.append(process.pid)
        self.running.setdefault(name, []).append(process)
        return process

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text(errors="replace")

    def stop(self) -> None:
        for process in [process for each in self.running.values() for process in each]:
            kill_group(process, signal.SIGTERM, 30)
        for limit in self.limits:
            limit.close()

    @staticmethod
    def search_path(tree: Path) -> str:
        """With `sampelit-ops` of this tree, where `bin/build` and `make` put it: beside Python."""
        place = tree / ".path"
        if not place.exists():
            place.mkdir()
            (place / "sampelit-ops").symlink_to(tree / "bin" / "sampelit-ops")
            (place / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
            (place / "python").chmod(0o755)
        return f"{place}:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"

    def _value(self, name: str, variable: Mapping[str, Any]) -> str:
        key = variable["key"]
        if "value" in variable:
            return str(variable["value"])
        if variable.get("generateValue"):
            return self.generated.setdefault((name, key), base64.b64encode(secrets.token_bytes(32)).decode())
        if "fromDatabase" in variable:
            return self.database_url
        if "fromService" in variable:
            source = variable["fromService"]
            return self.environment(source["name"]).get(source["envVarKey"], "")
        return self.typed.get(key, "")

    def _given(self, name: str) -> dict[str, str]:
        given = {
            "PATH": self.search_path(self.tree),
            "HOME": str(self.home),
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
            "LANG": "C.UTF-8",
            "RENDER": "true",
            "RENDER_SERVICE_ID": f"srv-{name}",
            "RENDER_SERVICE_NAME": name,
        }
        if self.services[name]["type"] == "web":
            host = f"{name}.onrender.com"
            given |= {
                "PORT": str(self.port),
                "RENDER_EXTERNAL_URL": f"https://{host}",
                "RENDER_EXTERNAL_HOSTNAME": host,
            }
        return given


@contextmanager
def platform(home: Path, database_url: str, typed: Mapping[str, str], extra: Mapping[str, str]) -> Iterator[Platform]:
    found = Platform(home, database_url, typed, extra)
    try:
        yield found
    finally:
        found.stop()


def copy_tree(target: Path) -> None:
    """What the repository holds, as it stands here: a checkout without its history."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    for name in listed.stdout.splitlines():
        if not name.startswith(LEFT_OUT) and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
