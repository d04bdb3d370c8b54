"""`manage.py app_role`: let the role of DATABASE_URL use what MIGRATION_DATABASE_URL owns. Exit 2 if refused."""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.management.base import BaseCommand

from ledger import app_role
from providers.errors import Refused
from sampelit_ops import command_line


class Command(BaseCommand):
    help = (
        "Makes the role of DATABASE_URL where it is missing and grants it rows, and nothing that rewrites the ledger."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        parts = urlsplit(command_line.given.get("DATABASE_URL", ""))
        try:
            if not parts.username:
                raise Refused("Set MIGRATION_DATABASE_URL (the owner) and DATABASE_URL (the portal). Nothing was done.")
            role = unquote(parts.username)
            app_role.grant(role, unquote(parts.password or ""))
        except Refused as refusal:
            self.stderr.write(refusal.reason)
            sys.exit(2)
        self.stdout.write(f"{role} may use the portal's tables and rewrite nothing of the ledger.")
