"""The gate: which migrations of a commit a target does not have, by its own history. Nothing is written to it.

In: an environment and the files of a commit. Out: an `Answer`: what is known to be missing, and what nobody knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from migrations_registry.history import readings
from migrations_registry.history import states as history_states
from migrations_registry.models import HistoryReading, MigrationFile, StreamBaseline
from migrations_registry.sources.discovery import discover
from migrations_registry.sources.reader import read_source
from operations.models import Environment
from providers.errors import ProviderError, Refused

KEPT = timedelta(minutes=15)
CONNECT_SECONDS = 3
Listed = tuple[str, str, str]  # path, sha256, stream


@dataclass(frozen=True)
class Answer:
    """`missing` is known; `unsure` says why something is not known; `count` files were asked about."""

    count: int
    missing: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()


def environment_of(slug: str) -> Environment:
    """Raises Refused for an unknown one."""
    found = Environment.objects.filter(slug=slug).first()
    if found is None:
        known = ", ".join(Environment.objects.values_list("slug", flat=True)) or "none yet"
        raise Refused(f"There is no environment {slug}. Nothing was read. Known: {known}.")
    return found


def of_source(environment: Environment, source: str) -> Answer:
    """Read SOURCE and the target now. Raises Refused and ProviderError: nobody knows, so nothing should go on."""
    found, rejected = discover(read_source(source))
    listed = [(one.path, one.sha256, one.stream) for one in found]
    known = _registered(listed)
    rows = readings.ask(environment).rows
    states = {one.file.pk: one.state for one in history_states.standings(list(known.values()), rows)[0]}
    return compare(environment, listed, [f"{one.path}:{one.line}: {one.reason}" for one in rejected], states)


def of_files(environment: Environment, listed: Sequence[Listed], rejected: Sequence[str]) -> Answer:
    """The same of known files, in bounded time: a target that does not answer is known by its last reading."""
    known = _registered(listed)
    try:
        rows = readings.ask(environment, seconds=CONNECT_SECONDS).rows
        states = {one.file.pk: one.state for one in history_states.standings(list(known.values()), rows)[0]}
    except (Refused, ProviderError) as error:
        kept = HistoryReading.objects.filter(environment=environment).exclude(read_at=None).first()
        if kept is None or kept.read_at is None or timezone.now() - kept.read_at > KEPT:
            why = f"the history of {environment} could not be read: {error}"
            return Answer(len(listed), unsure=(why,))
        states = {int(pk): told["state"] for pk, told in kept.states.items()}
    return compare(environment, listed, rejected, states)


def compare(
    environment: Environment, listed: Sequence[Listed], rejected: Sequence[str], states: dict[int, str]
) -> Answer:
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
    return Answer(len(listed) + len(rejected), tuple(missing), tuple(unsure))


def _registered(listed: Sequence[Listed]) -> dict[tuple[str, str], MigrationFile]:
    rows = MigrationFile.objects.filter(sha256__in=[sha256 for _, sha256, _ in listed])
    wanted = {(path, sha256) for path, sha256, _ in listed}
    return {(row.path, row.sha256): row for row in rows.order_by("position") if (row.path, row.sha256) in wanted}
