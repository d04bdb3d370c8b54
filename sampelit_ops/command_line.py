"""`manage.py` from outside: the demo's variables, the guard of the portal's database, sentences for what went wrong.

In: argv. Out: the command has run, or SystemExit says what happened, what was not changed and what to do.
"""

from __future__ import annotations

import os

from sampelit_ops.database_guard import errors_as_sentences, refuse_foreign_database
from sampelit_ops.demo.environment import needs_database, portal_database

AS_OWNER = ("migrate", "app_role", "check")
given: dict[str, str] = {}  # the portal's own DATABASE_URL, where a command runs as the owner


def as_owner(argv: list[str]) -> None:
    """Commands that change tables run as their owner, where that is another role than the portal's."""
    owner = os.environ.get("MIGRATION_DATABASE_URL", "")
    if owner and argv[1:2] and argv[1] in AS_OWNER:
        given["DATABASE_URL"] = os.environ.get("DATABASE_URL", "")
        os.environ["DATABASE_URL"] = owner


def execute(argv: list[str]) -> None:
    """Run one command line; no command that needs the portal's database ever reaches the product's (ops.E002)."""
    from django.core.management import execute_from_command_line

    as_owner(argv)
    with errors_as_sentences(), portal_database(argv):
        if needs_database(argv):
            refuse_foreign_database()
        execute_from_command_line(argv)
