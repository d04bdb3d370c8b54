"""The gate: which migrations of a commit a target does not have, by its own history. Nothing is written to it.

In: an environment and the files of a commit. Out: a `GateResult`: what is known to be missing, and what nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from migrations_registry.history import readings
from migrations_registry.history import states as history_states
from migrations_registry.models import HistoryReading, MigrationFile, StreamBaseline
from migrations_registry.sources.discovery import discover
from migrations_registry.sources.reader import read_source
from operations.models import Environment
from operations.periodic.clock import database_time
from providers.errors import ProviderError, Refused
from providers.postgres.migrate.history import HistoryRow

KEPT = timedelta(minutes=15)
CONNECT_SECONDS = 3
Listed = tuple[str, str, str]  # path, sha256, stream


@dataclass(frozen=True)
class GateResult:
    """`missing` is known; `unsure` says why something is not known; `count` files were asked about."""

    count: int
    missing: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()


def of_source(environment: Environment, source: str) -> GateResult:
    """Read SOURCE and the target now. Raises Refused and ProviderError: nobody knows, so nothing should go on."""
    files, rejected = discover(read_source(source))
    listed = [(file.path, file.sha256, file.stream) for file in files]
    known = _registered(listed)
    rows = readings.read_target(environment).rows
    states = _states(known.values(), rows)
    return compare(environment, listed, [str(file) for file in rejected], states)


def of_files(environment: Environment, listed: Sequence[Listed], rejected: Sequence[str]) -> GateResult:
    """The same of known files, in bounded time: a target that does not answer is known by its last reading."""
    known = _registered(listed)
    try:
        rows = readings.read_target(environment, seconds=CONNECT_SECONDS).rows
        states = _states(known.values(), rows)
    except (Refused, ProviderError) as error:
        reading = HistoryReading.objects.filter(environment=environment).exclude(read_at=None).first()
        if reading is None or reading.read_at is None or database_time() - reading.read_at > KEPT:
            why = f"the history of {environment} could not be read: {error}"
            return GateResult(len(listed), unsure=(why,))
        states = {int(pk): file_state["state"] for pk, file_state in reading.states.items()}
    return compare(environment, listed, rejected, states)


def _states(files: Iterable[MigrationFile], rows: Sequence[HistoryRow]) -> dict[int, str]:
    standings, _ = history_states.standings(list(files), rows)
    return {standing.file.pk: standing.state for standing in standings}


def compare(
    environment: Environment, listed: Sequence[Listed], rejected: Sequence[str], states: dict[int, str]
) -> GateResult:
    """What is not applied; of a stream that is not baselined nobody knows."""
    known = _registered(listed)
    baselined = set(StreamBaseline.objects.filter(environment=environment).values_list("stream", flat=True))
    missing, unsure = list(rejected), []
    for path, sha256, stream in listed:
        file = known.get((path, sha256))
        state = states.get(file.pk, history_states.PENDING) if file else "not registered"
        if state == history_states.APPLIED:
            continue
        if stream in baselined or state == history_states.CHANGED:
            missing.append(f"{path} is {state}")
        else:
            unsure.append(f"{path} is {state}, and its stream is not baselined on {environment}")
    return GateResult(len(listed) + len(rejected), tuple(missing), tuple(unsure))


def _registered(listed: Sequence[Listed]) -> dict[tuple[str, str], MigrationFile]:
    rows = MigrationFile.objects.filter(sha256__in=[sha256 for _, sha256, _ in listed])
    wanted = {(path, sha256) for path, sha256, _ in listed}
    return {(row.path, row.sha256): row for row in rows.order_by("position") if (row.path, row.sha256) in wanted}
