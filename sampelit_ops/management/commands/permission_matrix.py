"""`manage.py permission_matrix`: prints who may open what, asked of the code. Only with DEMO=1; changes nothing."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from providers.errors import Refused
from sampelit_ops.permission_matrix import table


class Command(BaseCommand):
    help = "Prints every address × method × role as a Markdown table."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(table(), ending="")
        except Refused as refusal:
            self.stderr.write(refusal.reason)
            sys.exit(2)
