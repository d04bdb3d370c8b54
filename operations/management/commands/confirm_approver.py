"""`sampelit-ops confirm_approver USER`: a second admin lets a new approver's votes count at once. Exit 2 if refused."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User

from operations import cli
from operations.approvals.confirmation import CONFIRM, confirm
from providers.answers import Answer, AnsweringCommand
from providers.errors import Refused


class Command(AnsweringCommand):
    help = "Confirms a new approver, as the owner of OPS_TOKEN; else the votes count a day after the role was given."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="the new approver's name")
        parser.add_argument("--code", default="", help="a code of your own second factor")

    def answer(self, options: dict[str, Any]) -> Answer:
        by = cli.actor(options, CONFIRM, None, needs_token=True)
        person = User.objects.filter(username=options["user"]).first()
        if person is None:
            raise Refused(f"There is nobody called {options['user']!r}; nothing was changed.")
        cli.confirmed(by, options, lambda: confirm(person, by=by, channel="shell"))
        told = [f"The votes of {person.username} count from now on."]
        return Answer({"user": person.username, "confirmed_by": by.username}, told, follow="`sampelit-ops list`")
