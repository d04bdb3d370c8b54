"""`sampelit-ops recover_options --environment E --lost WHAT --at TIME`: each copy that holds it; exit 1: none.

A table on a terminal, else JSON.

Exit 2 for what is not understood, and for a table or column that no run and no look at the schema ever held.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from operations.dsns import environment_named
from operations.web.moments import second
from providers.answers import Answer, AnsweringCommand, columns
from sampelit_ops.recover.loss import SHAPES, parse
from sampelit_ops.recover.options import options as ways_back
from sampelit_ops.recover.validation import refuse_unknown


class Command(AnsweringCommand):
    help = "Lists what could bring a loss back, with age, loss, downtime, price and the command that starts it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--environment", default="production", help="(production)")
        parser.add_argument("--lost", required=True, metavar="WHAT", help=SHAPES)
        parser.add_argument("--at", required=True, help="when, with its time zone: 2026-11-23T04:05:06Z")

    def answer(self, options: dict[str, Any]) -> Answer:
        environment = environment_named(options["environment"])
        lost, at = parse(options["lost"]), second(options["at"])
        refuse_unknown(environment, lost)
        ways = [way.as_json(environment) for way in ways_back(environment, lost, at)]
        answer = {"environment": environment.slug, "lost": lost.words, "at": at.isoformat(), "options": ways}
        able = [way for way in ways if way["kind"]]
        piped = [json.dumps(answer, indent=1, ensure_ascii=False)]
        return Answer(
            answer,
            _lines(ways) if self.stdout.isatty() else piped,
            code=0 if able else 1,
            follow=able[0]["command"] if able else "look for copies outside the portal; nothing here holds it.",
        )


def _lines(ways: list[dict[str, Any]]) -> list[str]:
    heads = ("LAYER", "COPY", "TAKEN", "STAYS LOST", "DOWNTIME", "PRICE", "")
    cells = [
        (
            way["layer"],
            way["name"],
            (way["taken_at"] or "")[:16],
            way["loss"],
            way["downtime"],
            way["price"],
            way["note"],
        )
        for way in ways
    ]
    return columns([heads, *cells])
