"""sampelit-ops witness [--compare FILE]: send the signed head to the outside witness now, or check a kept one."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from backups.anchoring import witness
from backups.management import cli
from ledger.channel import current
from operations.accounts import SHELL
from providers.answers import Answer


class Command(cli.StoreCommand):
    help = "Sends the signed head of ledger and backups to auditors and BACKUP_WITNESS_STORE; --compare checks one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--compare", metavar="FILE", help="a message or object that was kept")

    def answer(self, options: dict[str, Any]) -> Answer:
        if not options["compare"]:
            body = witness.send(current().os_user or SHELL)
            text = f"sent: {body['ledger']['size']} ledger entries, {len(body['runs'])} runs"
            return Answer(body, [text], follow="whoever got it keeps it; --compare FILE checks it later.")
        body, problems = witness.compare(_read(options["compare"]))
        return Answer(
            {"at": body["at"], "valid": not problems, "problems": problems},
            [f"witness of {body['at']}: {'DIFFERS' if problems else 'all of it still holds'}", *problems],
            code=1 if problems else 0,
            follow="`sampelit-ops verify_ledger`" if problems else "nothing.",
        )


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}. Nothing was compared.", returncode=2) from None
