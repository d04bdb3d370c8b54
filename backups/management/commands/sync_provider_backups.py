"""`sampelit-ops sync_provider_backups [--environment E] [--json]`: read Supabase's own backups; exit 1: none."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from backups.models import ProviderBackup
from backups.provider.assessment import judge
from backups.provider.sync import sync
from operations.models import Environment
from operations.supabase_projects import supabase
from providers.answers import Answer, AnsweringCommand, Objects
from providers.errors import ProviderError


class Command(AnsweringCommand):
    help = "Reads the projects and their own backups from Supabase's Management API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--environment", help="only this one")

    def answer(self, options: dict[str, Any]) -> Answer:
        """With --json one object a line."""
        wanted = options["environment"]
        environments = Environment.objects.exclude(supabase_ref="")
        chosen = environments.filter(slug=wanted) if wanted else environments
        if not chosen:
            raise CommandError("No such environment is linked to a Supabase project; nothing was read. Run setup.")
        api = supabase()
        lines = Objects(self._one(environment, api) for environment in chosen)
        bad = any(line["tone"] == "bad" for line in lines)
        return Answer(
            lines,
            [f"{line['environment']}: {line['state']}. {line['sentence']}" for line in lines],
            code=1 if bad else 0,
            follow="`sampelit-ops doctor --only supabase` tells what to do." if bad else "nothing.",
        )

    def _one(self, environment: Environment, api: Any) -> dict[str, Any]:
        try:
            row = sync(environment, api)
        except ProviderError as error:
            return {"environment": environment.slug, "state": "unknown", "tone": "bad", "sentence": error.message}
        backups = list(ProviderBackup.objects.listed().filter(environment=environment, ref=row.ref))
        verdict = judge(row, backups)
        return {
            "environment": environment.slug,
            "state": verdict.word,
            "tone": verdict.tone,
            "sentence": verdict.sentence,
            "plan": row.plan,
            "newest": verdict.newest.isoformat() if verdict.newest else None,
            "backups": [backup.external_id for backup in backups],
        }
