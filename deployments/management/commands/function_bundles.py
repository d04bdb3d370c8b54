"""`manage.py function_bundles [--function SLUG] [--json]`: kept bundles, why each stays, and which would go."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from deployments.functions.bundle_retention import Judged, judged


class Command(BaseCommand):
    help = "Lists the kept bundles of edge functions and why each stays; changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--function", default="", help="only this one's")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        found = judged(**({"slug": options["function"]} if options["function"] else {}))
        if options["as_json"]:
            self.stdout.write(json.dumps([_row(one) for one in found]))
            return
        for one in found:
            said = ", ".join(one.reasons) or "goes at the next round"
            self.stdout.write(f"{one.bundle}  {one.bundle.kind:<5}  {one.bundle.size_bytes} bytes  {said}")
        going = sum(not one.reasons for one in found)
        self.stdout.write(f"{len(found)} bundles are kept, {going} of them go at the next daily round.")


def _row(one: Judged) -> dict[str, Any]:
    row = one.bundle
    return {
        "function": row.slug,
        "sha256": row.sha256,
        "kind": row.kind,
        "bytes": row.size_bytes,
        "kept_at": row.kept_at.isoformat(),
        "reasons": list(one.reasons),
    }
