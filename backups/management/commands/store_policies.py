"""sampelit-ops store_policies [--store URL]: the least IAM policies of writer, prover and reaper; the bucket's."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from backups.management import cli
from providers.answers import Answer
from providers.errors import Refused
from providers.storage.base import parse
from providers.storage.iam_policies import NOTES, documents


class Command(cli.StoreCommand):
    help = "Prints JSON: {writer, prover, reaper, bucket, lifecycle, notes}; with --only one document, ready to paste."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--store", help="s3:// store URL; without it BACKUP_STORE")
        parser.add_argument("--only", choices=["writer", "prover", "reaper", "bucket", "lifecycle"])

    def answer(self, options: dict[str, Any]) -> Answer:
        address = parse(options["store"] or settings.BACKUP_STORE)
        if address.scheme != "s3":
            raise Refused("A directory has no policies: give it mode 0700 and its own user. Name an s3:// store.")
        policies: dict[str, Any] = documents(address)
        shown = policies[options["only"]] if options["only"] else {**policies, "notes": list(NOTES)}
        return Answer(shown, [json.dumps(shown, indent=2)], follow="paste them, then `sampelit-ops probe_store`.")
