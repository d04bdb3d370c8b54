"""`sampelit-ops demo_alarm NAME [--put-back] [--wait SECONDS]`: an accident in the demo, and which alarm answered.

Exit 0 done (with --wait: answered), 1 no alarm in time, 2 refused.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from providers.answers import Answer, AnsweringCommand
from sampelit_ops.demo.accidents import alarms, provoke


class Command(AnsweringCommand):
    help = "Provoke an accident in the demo's sandbox (DEMO=1) and tell which alarm answered."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=sorted(provoke.ACCIDENTS))
        parser.add_argument("--put-back", action="store_true")
        parser.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="until the alarm answers")

    def answer(self, options: dict[str, Any]) -> Answer:
        back, name = options["put_back"], options["name"]
        accident = (provoke.put_back if back else provoke.provoke)(name, "admin")
        done = "put back" if back else "provoked"
        document, lines = {"accident": name, "done": done}, [f"{done}: {accident.label}"]
        if back or not options["wait"]:
            follow = "the doctor and Overview show the alarm; --put-back ends it."
            return Answer(document, lines, follow="" if back else follow)
        alarm = _waited(accident.name, options["wait"])
        if alarm is None:
            silent = f"No alarm answered within {options['wait']:.0f} s."
            return Answer(document | {"alarm": None}, lines, 1, [silent])
        told = f"answered after {alarm.seconds:.0f} s: {alarm.sentence} {alarm.url}"
        found = {"seconds": alarm.seconds, "sentence": alarm.sentence, "url": alarm.url}
        return Answer(document | {"alarm": found}, [*lines, told], follow=f"`demo_alarm {name} --put-back`")


def _waited(name: str, seconds: float) -> Any:
    """The answer of the alarm, or None when it stayed silent."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = next(item for item in alarms.answers() if item.provoked.subject == name)
        if answer.alarm:
            return answer
        time.sleep(1)
    return None
