"""`sampelit-ops`: the verbs of operations at once, every other command by its name; the help shows ours, not Django's.

In: argv. Out: what `manage.py` answers to the same, or the help.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from operations.management.verbs import OF_ONE, OTHERS
from providers.secret_environment import conceal

NAME = "sampelit-ops"
APPS = ("backups", "deployments", "ledger", "migrations_registry", "operations", "sampelit_ops")
ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    conceal()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sampelit_ops.settings")
    if sys.argv[1:] in ([], ["-h"], ["--help"], ["help"]):
        print("\n".join(help_lines()))
        return
    from sampelit_ops.command_line import execute

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
