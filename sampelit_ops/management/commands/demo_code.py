"""`sampelit-ops demo_code USER`: six digits of a demo user's authenticator that were not used yet. Only with DEMO=1."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from providers.answers import Answer, AnsweringCommand
from sampelit_ops.demo.users import PEOPLE, code_of


class Command(AnsweringCommand):
    help = "Prints a code of a demo user's authenticator app, for the sign-in and for what asks for one anew."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", choices=list(PEOPLE))

    def answer(self, options: dict[str, Any]) -> Answer:
        code = code_of(options["user"])
        return Answer({"user": options["user"], "code": code}, [code])
