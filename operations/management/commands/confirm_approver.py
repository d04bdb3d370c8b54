"""`manage.py confirm_approver USER`: a second admin lets a new approver's votes count at once. Exit 2 if refused."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand

from operations import cli
from operations.approvals.confirmation import CONFIRM, confirm
from providers.errors import Refused


class Command(BaseCommand):
    help = "Confirms a new approver, as the owner of OPS_TOKEN; else the votes count a day after the role was given."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="the new approver's name")
        parser.add_argument("--code", default="", help="a code of your own second factor")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            by = cli.actor(options, CONFIRM, None, needs_token=True)
            person = User.objects.get(username=options["user"])
            cli.confirmed(by, options, lambda: confirm(person, by=by, channel="shell"))
        except User.DoesNotExist:
            self._refuse(f"There is nobody called {options['user']!r}; nothing was changed.")
        except (Refused, PermissionDenied) as refusal:
            self._refuse(str(refusal))
        else:
            self.stdout.write(f"The votes of {options['user']} count from now on.")

    def _refuse(self, reason: str) -> None:
        self.stderr.write(reason)
        sys.exit(2)
