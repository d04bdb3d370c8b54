"""manage.py store_policies [--store URL]: the least IAM policies of writer, prover and reaper, and the bucket's own."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from backups.management import cli
from providers.errors import Refused
from providers.storage.base import parse
from providers.storage.iam_policies import NOTES, documents


class Command(BaseCommand):
    help = "Prints JSON: {writer, prover, reaper, bucket, lifecycle, notes}; with --only one document, ready to paste."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--store", help="s3:// store URL; without it BACKUP_STORE")
        parser.add_argument("--only", choices=["writer", "prover", "reaper", "bucket", "lifecycle"])

    def handle(self, *args: Any, **options: Any) -> None:
        with cli.command_errors():
            address = parse(options["store"] or settings.BACKUP_STORE)
            if address.scheme != "s3":
                raise Refused("A directory has no policies: give it mode 0700 and its own user. Name an s3:// store.")
            policies: dict[str, Any] = documents(address)
        shown = policies[options["only"]] if options["only"] else {**policies, "notes": list(NOTES)}
        self.stdout.write(json.dumps(shown, indent=2))
