"""`manage.py function_bundles [--function SLUG] [--json]`: kept bundles, why each stays, and which would go."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from deployments.functions.bundle_retention import BundleRetention, assess_bundles


class Command(BaseCommand):
    help = "Lists the kept bundles of edge functions and why each stays; changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--function", default="", help="only this one's")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        bundles = assess_bundles(**({"slug": options["function"]} if options["function"] else {}))
        if options["as_json"]:
            self.stdout.write(json.dumps([_row(bundle) for bundle in bundles]))
            return
        for bundle in bundles:
            reasons = ", ".join(bundle.reasons) or "goes at the next round"
            self.stdout.write(f"{bundle.bundle}  {bundle.bundle.kind:<5}  {bundle.bundle.size_bytes} bytes  {reasons}")
        going = sum(not bundle.reasons for bundle in bundles)
        self.stdout.write(f"{len(bundles)} bundles are kept, {going} of them go at the next daily round.")


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
