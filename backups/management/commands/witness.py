"""manage.py witness [--compare FILE]: send the signed head to the outside witness now, or check a kept one."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backups.anchoring import witness
from backups.management import cli
from ledger.channel import current
from operations.accounts import SHELL


class Command(BaseCommand):
    help = "Sends the signed head of ledger and backups to auditors and BACKUP_WITNESS_STORE; --compare checks one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--compare", metavar="FILE", help="a message or object that was kept")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        with cli.command_errors():
            if not options["compare"]:
                body = witness.send(current().os_user or SHELL)
                text = f"sent: {body['ledger']['size']} ledger entries, {len(body['runs'])} runs"
                cli.show(self, options["as_json"], body, text)
                return
            body, problems = witness.compare(_read(options["compare"]))
        document = {"at": body["at"], "valid": not problems, "problems": problems}
        text = "\n".join([f"witness of {body['at']}: {'DIFFERS' if problems else 'all of it still holds'}", *problems])
        cli.show(self, options["as_json"], document, text)
        if problems:
            sys.exit(1)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}. Nothing was compared.", returncode=2) from None
