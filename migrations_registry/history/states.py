"""What a target's own history says of each file: applied, pending, changed after apply; and rows unknown to us.

In: an environment. Out: states. The target's table is the truth, not our rows; the Supabase CLI shares it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from migrations_registry.analysis.parsing.parser import parse
from migrations_registry.fingerprint import canonical
from migrations_registry.models import MigrationFile
from operations.dsns import reading_dsn
from operations.models import Environment
from providers import postgres
from providers.postgres.migrate.history import HistoryRow, read_history

APPLIED, PENDING, CHANGED = "applied", "pending", "changed"
_CLI_NAME = re.compile(r"^([0-9]+)_(.*)\.sql$")


@dataclass(frozen=True)
class Standing:
    """Where one file stands on one target; `out_of_order` marks a pending file older than an applied one."""

    file: MigrationFile
    state: str
    version: str
    out_of_order: bool = False


def version_of(file: MigrationFile) -> str:
    """The CLI's version: the digits of its own files; for others the day of registration and the path's number.

    All revisions of a path have the same version, so that a changed file is seen as changed, not as new.
    """
    return versions_of([file])[file.pk]


def versions_of(files: Sequence[MigrationFile]) -> dict[int, str]:
    """`version_of` each, by primary key, with one question."""
    other = [file.path for file in files if file.stream != MigrationFile.Stream.SUPABASE]
    rows = MigrationFile.objects.filter(path__in=other, revision=1) if other else MigrationFile.objects.none()
    first = {path: f"{at:%Y%m%d}{pk:06d}" for path, at, pk in rows.values_list("path", "discovered_at", "pk")}
    return {file.pk: first.get(file.path, file.version) for file in files}


def row_of(file: MigrationFile) -> HistoryRow:
    """The row that the CLI would write for this file."""
    return HistoryRow(version_of(file), _plain_name(file), tuple(split(file.data)))


def cli_name(file: MigrationFile, version: str) -> str:
    """The name under which the CLI takes this file for that row."""
    return f"{version}_{_plain_name(file)}.sql"


def _plain_name(file: MigrationFile) -> str:
    match = _CLI_NAME.match(file.name)
    return match[2] if match else file.name.removesuffix(".sql")


def split(data: bytes) -> list[str]:
    """The file's statements without their semicolons."""
    return [data[statement.start : statement.end].decode().strip() for statement in parse(data)]


def is_same(file: MigrationFile, row: HistoryRow) -> bool:
    """Whether the row's statements say what the file says; a row without statements cannot contradict."""
    if row.statements is None:
        return True
    return [canonical(text) for text in split(file.data)] == [
        canonical(text) for stored in row.statements for text in split(stored.encode())
    ]


def rows_of(environment: Environment) -> list[HistoryRow]:
    """The target's history. Raises Refused (no DSN) and ProviderError."""
    with postgres.connect(reading_dsn(environment)) as connection:
        with postgres.explained("Reading the migration history, before any change,"):
            return read_history(connection)


def standings(files: Sequence[MigrationFile], rows: Sequence[HistoryRow]) -> tuple[list[Standing], list[HistoryRow]]:
    """Each file's state, and the rows that no registered file explains."""
    by_version = {row.version: row for row in rows}
    versions = versions_of(files)
    states = [_state(file, by_version.get(versions[file.pk])) for file in files]
    last = {file.stream: number for number, file in enumerate(files) if states[number] != PENDING}
    standings = [
        Standing(file, state, versions[file.pk], state == PENDING and number < last.get(file.stream, -1))
        for number, (file, state) in enumerate(zip(files, states, strict=True))
    ]
    return standings, [row for row in rows if row.version not in set(versions.values())]


def _state(file: MigrationFile, row: HistoryRow | None) -> str:
    if row is None:
        return PENDING
    return APPLIED if is_same(file, row) else CHANGED
