"""Logs of the demo are its owner's alone, whatever the umask was and however an earlier start left them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sampelit_ops.demo import child_processes


@pytest.mark.parametrize("there", [False, True])
def test_a_log_is_read_by_its_owner_only(tmp_path: Path, there: bool) -> None:
    path = tmp_path / "log" / "web.log"
    before = os.umask(0)
    try:
        if there:
            path.parent.mkdir(mode=0o755)
            path.touch(mode=0o644)
        child_processes._opened(path).close()
    finally:
        os.umask(before)

    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
