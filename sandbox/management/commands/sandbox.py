"""`sampelit-ops sandbox`: Sampelit offline. Out: NAME=value lines, then SANDBOX_READY=1; runs until it is stopped."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from providers.answers import Answer, AnsweringCommand
from providers.embedded_postgres.server import EmbeddedPostgres, data_home
from providers.errors import ProviderError
from sandbox.servers import SERVERS, Stage
from sandbox.supabase.recovery import Recovery


class Command(AnsweringCommand):
    help = "Start a Sampelit database, its health endpoint and stand-ins of the providers' APIs on this machine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rows", type=int, default=20_000, help="rows of the audit trail (default: %(default)s)")
        parser.add_argument("--experiments", type=int, default=12, help="chains (default: %(default)s)")
        parser.add_argument("--live", type=float, default=0, metavar="N", help="decisions a second (default: none)")
        parser.add_argument("--port", type=int, metavar="P", help="first of the ports (default: free ones)")

    def answer(self, options: dict[str, Any]) -> None:
        if options["rows"] < options["experiments"] or options["experiments"] < 1 or options["live"] < 0:
            raise CommandError("Nothing was started: --experiments from 1, --rows at least that many, --live from 0.")
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        home = data_home(Path(settings.DATA_DIR)) / "sandbox"
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        sizes = {name: options[name] for name in ("rows", "experiments", "live", "port")}
        try:
            recovery = Recovery(home)
            with EmbeddedPostgres(home / "postgres", options=recovery.options()) as server:
                self._run(Stage(server, home, recovery, midnight, **sizes), stopped)
        except (ProviderError, OSError) as error:
            raise CommandError(str(error)) from error

    def _run(self, stage: Stage, stopped: threading.Event) -> None:
        with stage.closing:
            values = {name: value for start in SERVERS for name, value in start(stage).items()}
            values["SANDBOX_READY"] = "1"
            self.tell(Answer(values, [f"{name}={value}" for name, value in values.items()]))
            while not stopped.wait(1):
                if not stage.server.running():
                    raise CommandError(
                        "The sandbox's PostgreSQL server has gone. Start the sandbox again: rows are kept."
                    )
