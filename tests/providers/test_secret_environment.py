"""No key in any process beside or above a drill: not in its variables as the kernel shows them, not in its memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from providers.errors import ProviderError
from providers.processes import kill_group, spawn
from providers.redact import is_secret
from providers.secret_environment import VARIABLE, handed_on, showing

ROOT = Path(__file__).resolve().parents[2]
KEY = "AGE-SECRET-KEY-1THISISTHEKEYOFTHISTEST"
LOOK = """
import ctypes, json, os, resource
from pathlib import Path
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)  # PR_GET_DUMPABLE
print(json.dumps({
    "shown": Path("/proc/self/environ").read_bytes().decode("utf-8", "replace"),
    "kept": {name: os.environ.get(name) for name in ("BACKUP_AGE_IDENTITY", "A_DSN", "PLAIN", "OPS_SECRETS_FD")},
    "libc": os.popen("printenv BACKUP_AGE_IDENTITY").read().strip(),
    "dumpable": dumpable,
    "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
}), flush=True)
"""
SECRETS = {"BACKUP_AGE_IDENTITY": KEY, "A_DSN": "postgresql://a:b-very-secret@h/d"}
linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel shows variables in /proc on Linux only")


@pytest.fixture
def looking(tmp_path: Path) -> list[str]:
    """A program of ours that tells what others could see of it."""
    (tmp_path / "looking.py").write_text(LOOK)
    return [sys.executable, "-m", "providers.secret_environment", "looking"]


def told(output: bytes) -> dict:
    return dict(json.loads(output))


@linux
@pytest.mark.parametrize("by_pipe", [False, True])
def test_a_process_of_ours_keeps_its_secrets_and_shows_none(looking: list[str], tmp_path: Path, by_pipe: bool) -> None:
    environment = {**os.environ, **SECRETS, "PLAIN": "value", "PYTHONPATH": f"{ROOT}:{tmp_path}"}

    process = spawn(looking, env=environment, secrets_by_pipe=by_pipe, stdout=subprocess.PIPE)
    seen = told(process.communicate(timeout=60)[0])

    assert seen["kept"] == {**SECRETS, "PLAIN": "value", "OPS_SECRETS_FD": None}
    assert [text for text in (KEY, "very-secret", "BACKUP_AGE_IDENTITY") if text in seen["shown"]] == []
    assert "PLAIN=value" in seen["shown"]
    assert (seen["libc"], seen["dumpable"], seen["core"]) == (KEY, 0, 0)


@linux
def test_a_process_that_shows_a_key_is_found_and_one_of_ours_is_not(tmp_path: Path) -> None:
    key = f"{KEY}{uuid4().hex}"
    environment = {**os.environ, "BACKUP_AGE_IDENTITY": key, "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    (tmp_path / "waiting.py").write_text("import sys; print(flush=True); sys.stdin.read()")
    waiting = [sys.executable, "-m", "providers.secret_environment", "waiting"]
    ours = spawn(waiting, env=environment, secrets_by_pipe=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    others = spawn(["sleep", "600"], env=environment)
    assert ours.stdout is not None
    ours.stdout.readline()

    found = showing([key, ""])

    kill_group(others)
    kill_group(ours)
    assert found == [others.pid]


def test_what_is_handed_on_is_read_once_and_is_not_in_the_environment() -> None:
    with handed_on({**SECRETS, "PLAIN": "value"}) as (plain, pipe):
        read = json.loads(os.read(pipe, 10_000))

        assert (plain, read) == ({"PLAIN": "value", VARIABLE: str(pipe)}, SECRETS)
        assert os.read(pipe, 10) == b""


def test_secrets_that_no_pipe_takes_are_refused() -> None:
    with pytest.raises(ProviderError, match="larger than a pipe takes; nothing was started"):
        with handed_on({"A_DSN": "x" * 3_000_000}):
            pass


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("BACKUP_AGE_IDENTITY", KEY, True),
        ("SAMPELIT_PRODUCTION_EXPORT_DSN", "service=x", True),
        ("SECOND_STORE", "s3://key:pass-word@host/bucket", True),
        ("ANY_NAME", KEY, True),
        ("SECRET_KEY", "", False),
        ("LANG", "C.UTF-8", False),
        ("BACKUP_STORE", "s3://bucket/prefix", False),
    ],
)
def test_a_variable_is_secret_by_its_name_or_by_its_value(name: str, value: str, secret: bool) -> None:
    assert is_secret(name, value) == secret
