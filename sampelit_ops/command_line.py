"""`manage.py` from outside: the demo's variables, the guard of the portal's database, sentences for what went wrong.

In: argv. Out: the command has run, or SystemExit says what happened, what was not changed and what to do.
"""

from __future__ import annotations

from sampelit_ops.database_guard import errors_as_sentences, refuse_foreign_database
from sampelit_ops.demo.environment import needs_database, portal_database


def execute(argv: list[str]) -> None:
    """Run one command line; no command that needs the portal's database ever reaches the product's (ops.E002)."""
    from django.core.management import execute_from_command_line

    with errors_as_sentences(), portal_database(argv):
        if needs_database(argv):
            refuse_foreign_database()
        execute_from_command_line(argv)
