"""`manage.py sync_roles`: make the groups hold what `sampelit_ops/roles.py` says. Runs before every deploy."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from sampelit_ops.roles import ROLES, sync_roles


class Command(BaseCommand):
    help = "Creates the role groups and gives each exactly its permissions."

    def handle(self, *args: Any, **options: Any) -> None:
        for name in sync_roles():
            self.stderr.write(f"No app defines the permission {name}; the roles do without it.")
        self.stdout.write(f"{len(ROLES)} roles are in step: {', '.join(role.name for role in ROLES)}.")
