"""`sampelit-ops sync_deployments [--all] [--json]`: one poll of Render; `--all` reads every history again."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from deployments.render.client import render
from deployments.render.sync import poll
from providers.answers import Answer, AnsweringCommand


class Command(AnsweringCommand):
    help = "Reads services and deploys from Render and records what changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="read the whole history of every service again")

    def answer(self, options: dict[str, Any]) -> Answer:
        def progress(name: str, count: int) -> None:
            self.stderr.write(f"{name}: {count} deployments read")

        report = poll(full=options["all"], progress=progress, client=render(deadline=180.0))
        told = f"{report.services} services, {report.created} new deployments, {report.changed} changed."
        notes = [f"not read: {line}" for line in report.failed]
        return Answer(asdict(report), [told], notes=notes, follow="`sampelit-ops find SERVICE` leads to its page.")
