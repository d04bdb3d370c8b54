"""`sampelit-ops sync_roles`: make the groups hold what `sampelit_ops/roles.py` says. Runs before every deploy."""

from __future__ import annotations

from typing import Any

from providers.answers import Answer, AnsweringCommand
from sampelit_ops.roles import ROLES, sync_roles


class Command(AnsweringCommand):
    help = "Creates the role groups and gives each exactly its permissions."

    def answer(self, options: dict[str, Any]) -> Answer:
        unknown, names = list(sync_roles()), [role.name for role in ROLES]
        return Answer(
            {"roles": names, "unknown_permissions": unknown},
            [f"{len(names)} roles are in step: {', '.join(names)}."],
            notes=[f"No app defines the permission {name}; the roles do without it." for name in unknown],
        )
