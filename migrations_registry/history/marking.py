"""Mark versions as applied or reverted in a target's history, as the CLI's `migration repair` does; no SQL is run.

In: an environment, versions, the wanted state. Out: `Mark`s with what is recorded, what is observed and how wrong a
mark would be; then the rows themselves, in one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from migrations_registry.drift import detect as drift_detect
from migrations_registry.history import states as history_states
from migrations_registry.history.baseline import LOCK_TIMEOUT, is_baselined
from migrations_registry.models import MigrationFile
from migrations_registry.observing import APPLIED, NOT, PARTLY, expected, observe
from operations.models import Environment
from providers import postgres
from providers.errors import Refused
from providers.postgres.locked_session import guarded_session
from providers.postgres.migrate.history import HistoryRow, ensure_history, remove_history, replace_history

AS_APPLIED, AS_REVERTED = "applied", "reverted"


@dataclass(frozen=True)
class Mark:
    """One version: the registered file, the target's row, and what the catalogue shows of the file."""

    version: str
    state: str
    file: MigrationFile | None
    row: HistoryRow | None
    seen: str

    @property
    def tone(self) -> str:
        """`bad` where the history would then say what the catalogue denies."""
        if self.state == AS_APPLIED:
            return {APPLIED: "ok", PARTLY: "bad", NOT: "bad"}.get(self.seen, "warn")
        return "bad" if self.seen in (APPLIED, PARTLY) else "warn"

    def content(self) -> list[object]:
        """What votes bind of it."""
        statements = list(self.row.statements or ()) if self.row else None
        return [self.version, self.state, self.file.sha256 if self.file else "", statements, self.seen]

    def sentence(self) -> str:
        what = f"{self.version} ({self.file.name if self.file else (self.row and self.row.name) or 'no name'})"
        if self.state == AS_APPLIED:
            doing = "its row is replaced" if self.row else "a row is written"
        else:
            doing = "its row is removed; what it did stays"
        return f"{what}: {doing}. By observation it is {self.seen}."


def propose(environment: Environment, versions: Sequence[str], state: str, *, again: bool = False) -> list[Mark]:
    """Look at target and catalogue; nothing is written. Raises Refused (not `again` for what is done already)."""
    if state not in (AS_APPLIED, AS_REVERTED):
        raise Refused(f"state is applied or reverted, not {state!r}. Nothing was requested.")
    files = list(MigrationFile.objects.newest().order_by("position", "path"))
    by_version = {version: pk for pk, version in history_states.versions_of(files).items()}
    rows = {row.version: row for row in history_states.rows_of(environment)}
    observed = observe([expected(file.data) for file in files], drift_detect.read(environment))
    known = {file.pk: (file, observation.state) for file, observation in zip(files, observed, strict=True)}
    marks = []
    for version in versions:
        file, seen = known.get(by_version.get(version, 0), (None, "unknown to us"))
        if not again:
            _refuse_nonsense(environment, version, state, file, rows.get(version))
        marks.append(Mark(version, state, file, rows.get(version), seen))
    return marks


def _refuse_nonsense(
    environment: Environment, version: str, state: str, file: MigrationFile | None, row: HistoryRow | None
) -> None:
    if state == AS_REVERTED and row is None:
        raise Refused(f"{version} is not in the history of {environment}. Nothing was requested; there is no row.")
    if state == AS_REVERTED:
        return
    if file is None:
        raise Refused(f"No registered file has the version {version}. Nothing was requested; register it first.")
    if not is_baselined(environment, file.stream):
        raise Refused(
            f"The stream of {file.name} is not baselined on {environment}. Nothing was requested; "
            "request migrations.baseline, which looks at all of its files."
        )
    if row is not None and row.statements is not None and history_states.is_same(file, row):
        raise Refused(f"{version} is recorded as applied on {environment} already. Nothing was requested.")


def write(environment: Environment, dsn: str, marks: Sequence[Mark], lease_seconds: float) -> None:
    """All marks or none. Doing it twice changes nothing more. Raises ProviderError."""
    key = f"schema:{environment.slug}"
    with guarded_session(dsn, key, lease_seconds=lease_seconds, wait_seconds=lease_seconds) as connection:
        with postgres.explained("Writing the migration history, of which nothing was kept,"):
            with connection.transaction():
                connection.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
                ensure_history(connection)
                for mark in marks:
                    if mark.state == AS_REVERTED:
                        remove_history(connection, mark.version)
                    elif mark.file is not None:
                        replace_history(connection, history_states.row_of(mark.file))


def content(marks: Sequence[Mark]) -> bytes:
    """The file's bytes, the row that is there now and the observation: another of them ends the request."""
    return json.dumps([mark.content() for mark in marks], sort_keys=True).encode()
