"""`sampelit-ops first_admin --email X [--username NAME]`: the one-time link of the first admin. Exit 2 if refused."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from providers.answers import Answer, AnsweringCommand
from providers.errors import Refused
from sampelit_ops.signin import invitations


class Command(AnsweringCommand):
    help = "Creates the first admin and prints a link that sets the password, once, within 72 hours."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--username", default="", help="default: the part before the @")

    def answer(self, options: dict[str, Any]) -> Answer:
        email = options["email"]
        try:
            validate_email(email)
            link = invitations.first_admin(email, options["username"] or email.split("@")[0])
        except ValidationError:
            raise Refused(f"{email!r} is no e-mail address. Nobody was created.") from None
        return Answer({"link": link}, [link], follow="open it once, within 72 hours: password, then second factor.")
