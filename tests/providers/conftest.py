"""Fixtures of the providers' tests."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest


@pytest.fixture
def home() -> Iterator[Path]:
    """A traversable directory of our own: pytest's tmp_path is 0700 and would hide it from the server's account."""
    with tempfile.TemporaryDirectory(prefix="embedded-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def listening() -> Iterator[Callable[[Callable[[socket.socket, str], None], str], int]]:
    """A port where each connection is spoken to by `speak(connection, name)`."""
    listeners = []

    def listen(speak: Callable[[socket.socket, str], None], name: str) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=speak, args=(listener.accept()[0], name), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        return int(listener.getsockname()[1])

    yield listen
    for listener in listeners:
        listener.close()


@pytest.fixture
def orphan(home: Path) -> Callable[[str], int]:
    """The id that a program printed before it was killed."""

    def start(program: str) -> int:
        root = Path(__file__).resolve().parents[2]
        with subprocess.Popen([sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE, cwd=root) as parent:
            assert parent.stdout is not None
            printed = int(parent.stdout.readline())
            parent.kill()
        return printed

    return start
