"""`sampelit-ops migrations_status [--environment E]`: every file on every environment, by the targets' own histories.

Reads the targets whose DSN this process has, unless --kept; prints what the status page shows. Exit 0; 2 where the one
environment asked for could not be read now.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from migrations_registry.history import readings, status_matrix
from migrations_registry.history.status_cell import Column
from operations.dsns import environment_named
from providers.answers import Answer, AnsweringCommand, columns


class Command(AnsweringCommand):
    help = "Where each registered migration stands on each environment's database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--environment", default="", help="only this one; default: all of them")
        parser.add_argument("--kept", action="store_true", help="print the last reading, ask no target")

    def answer(self, options: dict[str, Any]) -> Answer:
        """JSON: a list of file × environment."""
        if not options["kept"]:
            _read(options["environment"])
        shown = status_matrix.columns(options["environment"])
        rows = status_matrix.as_json(status_matrix.streams(shown), shown)
        lines = [f"{column.environment.slug}: {_read_at(column)}" for column in shown]
        cells = columns((row["environment"], row["state"], _what(row)) for row in rows)
        follow = "`sampelit-ops request migrations.apply --environment E --set file=NAME` asks for one."
        return Answer(rows, [*lines, *cells], follow=follow)


def _read_at(column: Column) -> str:
    read = f"read {column.read_at:%Y-%m-%d %H:%M:%S} UTC" if column.read_at else "never read"
    return f"{read}. {column.problem}" if column.problem else read


def _what(row: dict[str, Any]) -> str:
    note = f" ({row['note']})" if row["note"] else ""
    return f"{row['path']} {row.get('version', '')}".rstrip() + note


def _read(slug: str) -> None:
    if not slug:
        readings.refresh_all()
    elif problem := readings.refresh(environment_named(slug)).problem:
        raise CommandError(problem, returncode=2)
