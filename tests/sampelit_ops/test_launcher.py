"""`make run` as a process tree: a proven export first, the contract of the shell, nothing left after any end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from operations.worker.process_tree import descendants
from providers.processes import spawn
from providers.redact import is_secret
from tests import sampling
from tests.waiting import until

pytestmark = pytest.mark.worker
ROOT = Path(settings.BASE_DIR)
POLITE = [signal.SIGINT, signal.SIGTERM]
ENDS = [*(POLITE if sampling.WHOLE else [POLITE[sampling.SEED % 2]]), signal.SIGKILL]
NOT_THE_TESTS = ("DATABASE_URL", "SECRET_KEY", "DEMO", "OPS_", "RENDER_", "SUPABASE_", "BACKUP_", "DJANGO_")


def environment(data: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(NOT_THE_TESTS)}
    return {**clean, "OPS_DATA_DIR": str(data)}


def start(data: Path) -> tuple[subprocess.Popen[bytes], str]:
    """The launcher and everything it printed up to the ready line and the logins."""
    process = spawn(
        [sys.executable, "-m", "sampelit_ops.demo.launcher"],
        env=environment(data),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line.decode()
        if line.startswith(b"Ctrl-C"):
            return process, printed
    raise AssertionError(f"it ended with {process.wait()}:\n{printed}")


def manage(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(data),
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.stdout, f"{arguments} ended with {done.returncode}: {done.stderr}"
    return done


def left_over(data: Path) -> list[str]:
    """Command lines of living processes that were started for this directory."""
    mark, processes = f"OPS_DATA_DIR={data}".encode(), []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int(entry.name) != os.getpid() and mark in (entry / "environ").read_bytes():
                processes.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except (OSError, PermissionError):
            continue
    return processes


def shown_secrets(launcher: int, data: Path) -> list[str]:
    """Keys of the demo that a process of it shows to whoever may look at its variables, even to root."""
    values = dict(line.split("=", 1) for line in (data / "demo.env").read_text().splitlines())
    secret = {name: value.encode() for name, value in values.items() if is_secret(name, value)}
    assert {"BACKUP_AGE_IDENTITY", "BACKUP_SIGNING_KEY", "OPS_SEAL_IDENTITY", "SECRET_KEY"} <= secret.keys()
    shown = []
    for pid in [launcher, *descendants(launcher)]:
        try:
            variables = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:  # it ended meanwhile, or is closed to us
            continue
        shown += [f"{name} in {pid}" for name, value in secret.items() if value in variables]
    return shown


@pytest.fixture
def data() -> Iterator[Path]:
    """A place that the database's own user may pass; another pytest closes the usual ones to others."""
    with tempfile.TemporaryDirectory(prefix="sampelit-ops-demo-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_a_first_start_proves_an_export_and_every_end_is_clean(data):
    process, printed = start(data)
    assert re.search(r"Sampelit Ops is ready: http://127\.0\.0\.1:\d+/admin/\n", printed)
    assert (
        len(
            re.findall(
                r"^login (viewer|auditor|operator|approver|approver2|stager|admin) \S+ [A-Z2-7]+$", printed, re.M
            )
        )
        == 7
    )
    assert "exported and proven" in printed
    assert shown_secrets(process.pid, data) == []

    asked = manage(
        data,
        "ops",
        "request",
        "backups.export",
        "--environment",
        "production",
        "--set",
        "policy=audit-trail",
        "--as",
        "operator",
        "--wait",
        "--json",
    )
    operation = json.loads(asked.stdout)
    assert (asked.returncode, operation["status"]) == (0, "succeeded"), asked.stderr
    verified = manage(data, "verify_run", operation["result"]["run"], "--deep", "--json")
    assert json.loads(verified.stdout)["problems"] == []

    second = subprocess.run(
        [sys.executable, "-m", "sampelit_ops.demo.launcher"],
        cwd=ROOT,
        env=environment(data),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert second.returncode != 0
    assert "already runs" in second.stderr

    print(f"ends: {ENDS}")
    for end in ENDS:
        process.send_signal(end)
        code = process.wait(30)
        assert code == (-signal.SIGKILL if end == signal.SIGKILL else 0)
        assert until(lambda: not left_over(data), 15), left_over(data)
        if end != signal.SIGKILL:
            process, printed = start(data)
            assert "a proven export of the audit trail exists" in printed, printed

    assert json.loads(manage(data, "verify_ledger", "--json").stdout)["valid"] is True
    assert until(lambda: not left_over(data), 15)
