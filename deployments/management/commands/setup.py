"""`manage.py setup [--email ADDRESS] [--username NAME]`: first admin's link, then everything one Render key gives."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from deployments import setup
from deployments.client import configured
from providers.errors import Refused


class Command(BaseCommand):
    help = "Creates the first admin's one-time link and reads services, environments and history from Render."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", help="the first admin's address; without it no link is made")
        parser.add_argument("--username", default="admin", help="the first admin's name (admin)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["email"]:
            call_command("first_admin", options["email"], username=options["username"])
        if configured():
            self._discover()
        for step in setup.steps():
            mark = {"ok": "done", "bad": "MISSING", "warn": "open"}.get(step.tone, "optional")
            self.stdout.write(f"{mark:9}{step.title}: {step.found}")
            if step.todo:
                self.stdout.write(f"{'':9}next: {step.todo}")

    def _discover(self) -> None:
        try:
            told, error = setup.safe_discover(
                lambda name, count: self.stderr.write(f"{name}: {count} deployments read")
            )
        except Refused as refusal:
            raise CommandError(refusal.reason) from refusal
        for line in told:
            self.stdout.write(line)
        if error:
            self.stderr.write(error)
