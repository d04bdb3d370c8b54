"""`manage.py demo_code USER`: six digits of a demo user's authenticator that were not used yet. Only with DEMO=1."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from providers.errors import Refused
from sampelit_ops.demo.users import PEOPLE, code_of


class Command(BaseCommand):
    help = "Prints a code of a demo user's authenticator app, for the sign-in and for what asks for one anew."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", choices=list(PEOPLE))

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(code_of(options["user"]))
        except Refused as refusal:
            self.stderr.write(refusal.reason)
            sys.exit(2)
