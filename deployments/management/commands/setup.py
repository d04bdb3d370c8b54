"""`manage.py setup [--email ADDRESS] [--supabase ENVIRONMENT=REF]`: first admin, then all that two tokens give."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from deployments import onboarding
from operations.accounts import SETUP
from operations.models import Environment
from operations.supabase_projects import link
from providers.errors import Refused


class Command(BaseCommand):
    help = "Creates the first admin's one-time link and reads everything that the tokens of Render and Supabase show."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", help="the first admin's address; without it no link is made")
        parser.add_argument("--username", default="admin", help="the first admin's name (admin)")
        parser.add_argument(
            "--supabase",
            action="append",
            default=[],
            metavar="ENVIRONMENT=REF",
            help="the environment's Supabase project, where no service's SUPABASE_URL names it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["email"]:
            call_command("first_admin", email=options["email"], username=options["username"], stdout=self.stdout)
        self._discover()
        if self._link(options["supabase"]):
            self._discover()
        for step in onboarding.steps(onboarding.environments()):
            mark = {"ok": "done", "bad": "MISSING", "warn": "open"}.get(step.tone, "optional")
            self.stdout.write(f"{mark:9}{step.title}: {step.found}")
            if step.todo:
                self.stdout.write(f"{'':9}next: {step.todo}")

    def _link(self, pairs: list[str]) -> bool:
        for pair in pairs:
            slug, _, ref = pair.partition("=")
            environment = Environment.objects.filter(slug=slug).first()
            if environment is None or not ref:
                raise CommandError(f"--supabase {pair}: give an environment that exists and a ref. Nothing was linked.")
            try:
                link(environment, ref, by=SETUP, how="chosen with manage.py setup")
            except Refused as refusal:
                raise CommandError(refusal.reason) from refusal
        return bool(pairs)

    def _discover(self) -> None:
        lines, errors = onboarding.discover_everything(
            lambda name, count: self.stderr.write(f"{name}: {count} deployments read")
        )
        for line in lines:
            self.stdout.write(line)
        for error in errors:
            self.stderr.write(error)
