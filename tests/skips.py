"""Skips that cannot hide: with OPS_REQUIRE_ALL=1 (set by .ci/run) a missing requirement fails the test instead.

In: what a test needs. Out: nothing when it is there; else a skip, or a failure, with the reason.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

CHROMIUM = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome")
SHARED = Path(__file__).resolve().parents[2] / "shared"


def unless(there: bool, reason: str) -> None:
    """Skip with `reason` unless `there`; fail instead where everything is required."""
    if there:
        return
    if os.environ.get("OPS_REQUIRE_ALL") == "1":
        pytest.fail(f"{reason} (OPS_REQUIRE_ALL=1 forbids skipping)", pytrace=False)
    pytest.skip(reason)


def chromium() -> str:
    """The path of a Chromium, or a skip."""
    binary = next((path for name in CHROMIUM if (path := shutil.which(name))), "")
    unless(bool(binary), "no Chromium here: install Debian's `chromium` to run the browser tests")
    return binary


def supabase_cli() -> str:
    """The path of the real Supabase CLI, or a skip."""
    places = Path(__file__).with_name("supabase_cli").glob("node_modules/@supabase/cli-*/bin/supabase")
    binary = next((str(path) for path in places), "")
    unless(bool(binary), "no Supabase CLI here: run `npm ci --prefix tests/supabase_cli --ignore-scripts`")
    return binary


def oidc_provider() -> Path:
    """The script of the real OpenID provider, with what it needs beside it, or a skip."""
    script = Path(__file__).with_name("oidc_provider") / "provider.js"
    there = (script.parent / "node_modules" / "oidc-provider").is_dir() and bool(shutil.which("node"))
    unless(there, "no OpenID provider here: run `npm ci --prefix tests/oidc_provider --ignore-scripts`")
    return script


def shared(*parts: str) -> Path:
    """A path under ../shared, or a skip where it does not exist."""
    path = SHARED.joinpath(*parts)
    unless(path.exists(), f"{'/'.join(('shared', *parts))} is not beside this clone")
    return path
