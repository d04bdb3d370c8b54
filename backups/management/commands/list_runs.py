"""manage.py list_runs --store URL: the newest runs that a store holds, read from the store alone."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from backups.archive import keys
from backups.archive.reader import Listed, runs
from backups.management import cli


class Command(BaseCommand):
    help = "Lists the newest runs of a store, newest first; needs neither the portal's database nor the product's."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--store", help="store URL; without it BACKUP_STORE")
        parser.add_argument("--last", type=_number, default=50, help="so many (default: 50); 0: all, oldest first")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        with cli.command_errors():
            store = cli.store_from(options["store"], reading=True)
            listed = list(runs(store, keys.verifier(), options["last"]))
        if options["as_json"]:
            self.stdout.write(json.dumps([asdict(item) for item in listed]))
            return
        for item in listed:
            self.stdout.write(_line(item))
        if len(listed) == options["last"]:
            self.stdout.write(f"These are the newest {len(listed)}; --last 0 shows all.")
        if not listed:
            self.stdout.write("The store holds no runs.")


def _line(item: Listed) -> str:
    facts = f"{item.environment}/{item.policy}  {item.taken_at[:19]}  {item.rows} rows  {item.stored_bytes} bytes"
    return f"{item.run}  {item.status:<8}  {item.problem or facts}"


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is no number of runs")
    return int(text)
