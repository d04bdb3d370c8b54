"""`sampelit-ops verify_evidence FILE [--public-key FILE]`: is this report what was signed?

FILE is a JSON or an HTML report; the HTML is drawn again from the JSON in it and compared byte for byte.
Exit 0 valid, 1 not. Needs no database.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from backups.archive import keys
from backups.archive.signatures import Verifier, load_verifier
from backups.archive.signed_json import ManifestError
from backups.evidence import html, signed_report
from providers.answers import Answer, AnsweringCommand


class Command(AnsweringCommand):
    help = "Checks the signature of an evidence report and that its page shows what was signed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--public-key", type=Path, metavar="FILE", help="default: this portal's keys")

    def answer(self, options: dict[str, Any]) -> Answer:
        try:
            data = options["file"].read_bytes()
            verifier = _verifier(options["public_key"])
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        try:
            signed = _check(data, verifier)
        except ManifestError as error:
            return Answer({"valid": False, "problem": str(error)}, notes=[f"NOT VALID: {error}"], code=1)
        told = [f"VALID, key {signed.key}, SHA-256 {signed.sha256}", signed.report.sentence]
        document = {"valid": True, "key": signed.key, "sha256": signed.sha256, "sentence": signed.report.sentence}
        return Answer(document, told, follow="compare its SHA-256 with the one you were told.")


def _verifier(path: Path | None) -> Verifier:
    verifier = load_verifier(path.read_text()) if path else keys.verifier()
    if verifier is None:
        raise ValueError("No public key is known here. Give --public-key FILE.")
    return verifier


def _check(data: bytes, verifier: Verifier) -> signed_report.Signed:
    if data.startswith(b"%PDF"):
        raise ManifestError(
            "a PDF carries no signature that can be checked, and none is drawn any more. Check the JSON or the HTML of "
            "the same report (evidence --report ID -o FILE.html): its SHA-256 stands on the last page of the PDF"
        )
    signed_json = data if data.lstrip().startswith(b"{") else html.embedded(data)
    if signed_json is None:
        raise ManifestError("it carries no signed JSON; give the JSON or the HTML of the report as it was downloaded")
    signed = signed_report.opened(signed_json, verifier)
    if data not in (signed.text.encode(), html.page(signed, html.style_of(data)).encode()):
        raise ManifestError(
            f"its JSON is valid (SHA-256 {signed.sha256}), but this file does not show it byte for byte: it was "
            "edited, or drawn by another version; produce it again with evidence --report"
        )
    return signed
