"""`sampelit-ops evidence --environment E --from 2026-03-01 --to 2026-04-01 [--format html|json] [-o FILE]`.

Prints the verdict; exit code 0: intact, 1: altered or not known. `--report ID` writes a kept one again.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError

from backups.evidence.service import PERMISSION, TYPES, check_form, day_of, opened, produce, rendered
from backups.evidence.wording import chain_sentence
from backups.models import EvidenceReport
from operations import cli
from operations.authority import why_not
from operations.dsns import environment_named
from providers.answers import Answer, AnsweringCommand, columns
from providers.errors import Refused


class Command(AnsweringCommand):
    help = "Produces the signed evidence report of a period, keeps it, and writes it as HTML or JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--environment", default="production")
        parser.add_argument("--from", dest="start", metavar="DAY", help="first day, UTC; 2026-03 is the whole month's")
        parser.add_argument("--to", dest="end", metavar="DAY", help="the day after the last one")
        parser.add_argument("--format", choices=sorted(TYPES), help="default: what FILE is called")
        parser.add_argument("-o", "--output", type=Path, metavar="FILE")
        parser.add_argument("--report", metavar="ID", help="a report that was produced before")
        parser.add_argument("--as", dest="actor", metavar="USER", help="the demo only; otherwise OPS_TOKEN")

    def answer(self, options: dict[str, Any]) -> Answer:
        form = _form(options)
        row = _row(options)
        signed = opened(row)
        if options["output"]:
            _write(options["output"], rendered(signed, form))
        chains = columns((chain.word, chain.chain, chain_sentence(chain)) for chain in signed.report.chains)
        return Answer(
            {"report": row.pk, "verdict": row.verdict, "sha256": row.sha256, "key": row.key},
            [signed.report.sentence, *chains, f"report {row.pk} sha256 {row.sha256} key {row.key}"],
            code=0 if row.verdict == EvidenceReport.Verdict.INTACT else 1,
            follow="`sampelit-ops verify_evidence FILE` checks it anywhere."
            if options["output"]
            else f"`sampelit-ops evidence --report {row.pk} -o FILE.html` writes it for others.",
        )


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}. The report itself is kept.") from error


def _form(options: dict[str, Any]) -> str:
    """What FILE is to hold. Raises Refused before a report is produced that could not be written."""
    if not options["output"]:
        return ""
    form = options["format"] or options["output"].suffix.lstrip(".").lower()
    check_form(form)
    return form


def _row(options: dict[str, Any]) -> EvidenceReport:
    if options["report"]:
        row = EvidenceReport.objects.filter(pk=options["report"]).first()
        if row is None:
            raise Refused(f"There is no report {options['report']!r}.")
        return row
    if not options["start"] or not options["end"]:
        raise Refused("Give --from and --to, or --report. Nothing was read.")
    environment = environment_named(options["environment"])
    by = cli.actor(options, PERMISSION, environment)
    if refusal := why_not(by, PERMISSION, environment, f"{by.username} may not produce evidence."):
        raise PermissionDenied(f"{refusal} Nothing was read.")
    return produce(environment, day_of(options["start"], "--from"), day_of(options["end"], "--to"), by.username)
