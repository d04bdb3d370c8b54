"""`manage.py` and `sampelit-ops` from outside: the demo's variables, the guard of the portal's database, sentences.

In: argv; a verb of operations needs no other command. Out: the command has run, or SystemExit says what happened,
what was not changed and what to do.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from operations.management.verbs import OF_ONE, OTHERS
from providers import memory
from providers.secret_environment import conceal
from sampelit_ops.database_guard import errors_as_sentences, refuse_foreign_database
from sampelit_ops.demo.environment import needs_database, portal_database

AS_OWNER = ("migrate", "app_role", "check")
NAME = "sampelit-ops"
APPS = ("backups", "deployments", "ledger", "migrations_registry", "operations", "sampelit_ops")
ROOT = Path(__file__).resolve().parents[1]
given: dict[str, str] = {}  # the portal's own DATABASE_URL, where a command runs as the owner


def as_owner(argv: list[str]) -> None:
    """Commands that change tables run as their owner, where that is another role than the portal's."""
    owner = os.environ.get("MIGRATION_DATABASE_URL", "")
    if owner and argv[1:2] and argv[1] in AS_OWNER:
        given["DATABASE_URL"] = os.environ.get("DATABASE_URL", "")
        os.environ["DATABASE_URL"] = owner


def execute(argv: list[str]) -> None:
    """Run one command line; no command that needs the portal's database ever reaches the product's (ops.E002)."""
    memory.brief()
    from django.core.management import execute_from_command_line

    refuse_garbled(argv)
    as_owner(argv)
    with errors_as_sentences(), portal_database(argv):
        if needs_database(argv):
            refuse_foreign_database()
        execute_from_command_line(argv)


def refuse_garbled(argv: list[str]) -> None:
    """Raise SystemExit for a word that is no UTF-8: neither a name of ours nor the database takes it."""
    garbled = [ascii(word) for word in argv if any("\ud800" <= letter <= "\udfff" for letter in word)]
    if garbled:
        print(f"{', '.join(garbled)} is no UTF-8. Nothing was done; write it in UTF-8 and repeat.", file=sys.stderr)
        raise SystemExit(2)


def main() -> None:
    """`sampelit-ops`, with the variables as `manage.py` finds them."""
    conceal()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sampelit_ops.settings")
    if sys.argv[1:] in ([], ["-h"], ["--help"], ["help"]):
        print("\n".join(help_lines()))
    else:
        execute(as_managed(sys.argv[1:]))


def as_managed(words: list[str]) -> list[str]:
    """The command line that Django understands: a verb belongs to `ops`."""
    return [NAME, *(["ops"] if words[0] in OF_ONE or words[0] in OTHERS else []), *words]


def help_lines() -> list[str]:
    """Verbs with their meaning, then the names of our commands."""
    verbs = [f"  {verb:<12} {meaning}" for verb, meaning in {**OTHERS, **OF_ONE}.items()]
    commands = [f"  {app:<20} {', '.join(names)}" for app in APPS if (names := commands_of(app))]
    usage = f"{NAME} VERB …, or {NAME} COMMAND …; each takes --help, and most take --json."
    return [usage, "", "Operations:", *verbs, "", "Commands, by what they are about:", *commands]


def commands_of(app: str) -> list[str]:
    folder = ROOT / app / "management" / "commands"
    return sorted(path.stem for path in folder.glob("[!_]*.py") if path.stem != "ops")


if __name__ == "__main__":
    main()
