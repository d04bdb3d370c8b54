"""`sampelit-ops outsiders`: ask now who could pass by the portal. With --attest somebody says that it is right."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from operations import cli
from providers.answers import Answer, AnsweringCommand
from sampelit_ops.outsiders import attestation, readings


class Command(AnsweringCommand):
    help = "List everybody whom Render, Supabase, a database or a bucket obeys without asking the portal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--attest", action="store_true", help="write down, by name, that this list is right")
        parser.add_argument("--code", default="", help="a code of your second factor (with --attest)")
        parser.add_argument("--as", dest="actor", default="", help="who attests (demo only; otherwise OPS_TOKEN)")

    def answer(self, options: dict[str, Any]) -> Answer:
        found = readings.read_all()
        notes = [_attested(attestation.digest(found), options)] if options["attest"] else []
        follow = "" if notes else "--attest writes down, by name, that this list is right."
        return Answer([asdict(reading) for reading in found], _lines(found), notes=notes, follow=follow)


def _attested(seen: str, options: dict[str, Any]) -> str:
    by = cli.actor(options, attestation.MAY_ATTEST, None)
    cli.confirmed(by, options, lambda: attestation.attest(by=by, seen=seen))
    return f"Attested by {by.username}."


def _lines(found: list[readings.Reading]) -> list[str]:
    lines: list[str] = []
    for reading in found:
        lines.append(f"{reading.place}{': not read anew: ' + reading.problem if reading.problem else ''}")
        lines += [f"  {each.who}: {each.can}{'; ' + each.note if each.note else ''}" for each in reading.outsiders]
    return lines
