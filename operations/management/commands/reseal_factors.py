"""`manage.py reseal_factors`: second factors that an earlier FACTOR_KEY sealed are sealed under the one of now."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from operations.factors import rotation
from providers.errors import Refused


class Command(BaseCommand):
    help = "After a new FACTOR_KEY: seals every second factor under it. Then FACTOR_KEY_FALLBACKS can be emptied."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(f"{rotation.reseal()} sealed anew")
            left = rotation.counts()
        except Refused as refusal:
            self.stderr.write(refusal.reason)
            sys.exit(2)
        for state in (rotation.CLEAR, rotation.UNKNOWN):
            if left[state]:
                self.stderr.write(f"{left[state]} {state}: left as they are; those people start their sign-in over.")
        sys.exit(1 if left[rotation.CLEAR] or left[rotation.UNKNOWN] else 0)
