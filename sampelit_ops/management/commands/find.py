"""`sampelit-ops find WORDS`: what the search above every page finds, with addresses; exit 1: nothing."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from operations import cli
from providers.answers import Answer, AnsweringCommand
from sampelit_ops.search.actions import actions
from sampelit_ops.search.rows import Found, find

LOOK = "operations.view_operation"


class Command(AnsweringCommand):
    help = "Finds services, commits, runs, files, people, variables and operations by name or id, and acts in words."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("words", nargs="+")
        parser.add_argument("--as", dest="actor", default="", help="who looks (demo only; otherwise OPS_TOKEN)")

    def answer(self, options: dict[str, Any]) -> Answer:
        user = cli.actor(options, LOOK, None)
        words = " ".join(options["words"])
        found = [Found("Do", "", action.label, action.url) for action in actions(user, words)]
        found += find(user, words)
        base = settings.OPS_BASE_URL.rstrip("/")
        lines = [{"heading": each.heading, "label": each.label, "url": base + each.url} for each in found]
        if not lines:
            nothing = "Nothing found: neither a name, nor an id, nor an act. Fewer letters find more."
            return Answer(lines, code=1, notes=[nothing])
        told = [f"{line['heading']}: {line['label']}\n  {line['url']}" for line in lines]
        return Answer(lines, told, follow="open one of the addresses, or `sampelit-ops show ID`.")
