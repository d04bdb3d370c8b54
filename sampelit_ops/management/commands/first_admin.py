"""`manage.py first_admin --email X [--username NAME]`: the one-time link of the first admin. Exit 2 if refused."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand
from django.core.validators import validate_email

from providers.errors import Refused
from sampelit_ops.signin import invitations


class Command(BaseCommand):
    help = "Creates the first admin and prints a link that sets the password, once, within 72 hours."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--username", default="", help="default: the part before the @")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"]
        try:
            validate_email(email)
            link = invitations.first_admin(email, options["username"] or email.split("@")[0])
        except ValidationError:
            self._refuse(f"{email!r} is no e-mail address. Nobody was created.")
        except Refused as refusal:
            self._refuse(refusal.reason)
        else:
            self.stdout.write(link)

    def _refuse(self, reason: str) -> None:
        self.stderr.write(reason)
        sys.exit(2)
