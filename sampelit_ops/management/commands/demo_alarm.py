"""`manage.py demo_alarm NAME [--put-back] [--wait SECONDS]`: an accident in the demo, and which alarm answered.

Exit 0 done (with --wait: answered), 1 no alarm in time, 2 refused.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from providers.errors import ProviderError, Refused
from sampelit_ops.demo.accidents import alarms, provoke


class Command(BaseCommand):
    help = "Provoke an accident in the demo's sandbox (DEMO=1) and tell which alarm answered."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=sorted(provoke.ACCIDENTS))
        parser.add_argument("--put-back", action="store_true")
        parser.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="until the alarm answers")

    def handle(self, *args: Any, **options: Any) -> None:
        act = provoke.put_back if options["put_back"] else provoke.provoke
        try:
            accident = act(options["name"], "admin")
        except (Refused, ProviderError) as error:
            self.stderr.write(str(error))
            sys.exit(2)
        self.stdout.write(f"{'put back' if options['put_back'] else 'provoked'}: {accident.label}")
        if options["wait"] and not options["put_back"]:
            sys.exit(self._wait(accident.name, options["wait"]))

    def _wait(self, name: str, seconds: float) -> int:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            answer = next(item for item in alarms.answers() if item.provoked.subject == name)
            if answer.alarm:
                self.stdout.write(f"answered after {answer.seconds:.0f} s: {answer.sentence} {answer.url}")
                return 0
            time.sleep(1)
        self.stderr.write(f"No alarm answered within {seconds:.0f} s.")
        return 1
