"""`sampelit-ops function_bundles [--function SLUG] [--json]`: kept bundles, why each stays, and which would go."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from deployments.functions.bundle_retention import BundleRetention, assess_bundles
from providers.answers import Answer, AnsweringCommand, columns

GOES = "goes at the next round"


class Command(AnsweringCommand):
    help = "Lists the kept bundles of edge functions and why each stays; changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--function", default="", help="only this one's")

    def answer(self, options: dict[str, Any]) -> Answer:
        bundles = assess_bundles(**({"slug": options["function"]} if options["function"] else {}))
        going = sum(not bundle.reasons for bundle in bundles)
        rows = [
            (str(one.bundle), one.bundle.kind, f"{one.bundle.size_bytes} bytes", ", ".join(one.reasons) or GOES)
            for one in bundles
        ]
        told = f"{len(bundles)} bundles are kept, {going} of them go at the next daily round."
        return Answer(
            [_row(bundle) for bundle in bundles],
            [*columns(rows), told],
            follow="`sampelit-ops request deployments.function_deploy --help` deploys a kept one.",
        )


def _row(judged: BundleRetention) -> dict[str, Any]:
    row = judged.bundle
    return {
        "function": row.slug,
        "sha256": row.sha256,
        "kind": row.kind,
        "bytes": row.size_bytes,
        "kept_at": row.kept_at.isoformat(),
        "reasons": list(judged.reasons),
    }
