"""`sampelit-ops app_role`: let the role of DATABASE_URL use what MIGRATION_DATABASE_URL owns. Exit 2 if refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from ledger import app_role
from providers.answers import Answer, AnsweringCommand
from providers.errors import Refused
from sampelit_ops import command_line


class Command(AnsweringCommand):
    help = (
        "Makes the role of DATABASE_URL where it is missing and grants it rows, and nothing that rewrites the ledger."
    )

    def answer(self, options: dict[str, Any]) -> Answer:
        parts = urlsplit(command_line.given.get("DATABASE_URL", ""))
        if not parts.username:
            raise Refused("Set MIGRATION_DATABASE_URL (the owner) and DATABASE_URL (the portal). Nothing was done.")
        role = unquote(parts.username)
        app_role.grant(role, unquote(parts.password or ""))
        told = [f"{role} may use the portal's tables and rewrite nothing of the ledger."]
        return Answer({"role": role}, told, follow="`sampelit-ops doctor --only role`")
