"""`sampelit-ops setup [--email ADDRESS] [--supabase ENVIRONMENT=REF]`: first admin, then all that two tokens give."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError

from deployments import onboarding
from operations.accounts import SETUP
from operations.models import Environment
from operations.onboarding import Step
from operations.supabase_projects import link
from providers.answers import Answer, AnsweringCommand


class Command(AnsweringCommand):
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

    def answer(self, options: dict[str, Any]) -> Answer:
        link = _first_admin(options) if options["email"] else ""
        found = self._discover()
        if self._link(options["supabase"]):
            found = self._discover()
        steps = onboarding.steps(onboarding.environments())
        lines = [line for step in steps for line in _lines(step)]
        document = {"link": link, "found": found, "steps": [asdict(step) for step in steps]}
        return Answer(document, [*([link] if link else []), *found, *lines], follow="do what stands after next:.")

    def _link(self, pairs: list[str]) -> bool:
        for pair in pairs:
            slug, _, ref = pair.partition("=")
            environment = Environment.objects.filter(slug=slug).first()
            if environment is None or not ref:
                raise CommandError(f"--supabase {pair}: give an environment that exists and a ref. Nothing was linked.")
            link(environment, ref, by=SETUP, how="chosen with sampelit-ops setup")
        return bool(pairs)

    def _discover(self) -> list[str]:
        lines, errors = onboarding.discover_everything(
            lambda name, count: self.stderr.write(f"{name}: {count} deployments read")
        )
        for error in errors:
            self.stderr.write(error)
        return list(lines)


def _first_admin(options: dict[str, Any]) -> str:
    link = StringIO()
    call_command("first_admin", email=options["email"], username=options["username"], stdout=link, stderr=StringIO())
    return link.getvalue().strip()


def _lines(step: Step) -> list[str]:
    mark = {"ok": "done", "bad": "MISSING", "warn": "open"}.get(step.tone, "optional")
    return [f"{mark:9}{step.title}: {step.found}", *([f"{'':9}next: {step.todo}"] if step.todo else [])]
