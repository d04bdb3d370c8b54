"""What has to be done, in order, so that one file can be applied to an environment. Reads the target, writes nothing.

In: a file, an environment and what only a person can judge. Out: steps of the way, each as its own kind would be asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from migrations_registry.history import baseline
from migrations_registry.history import states as history_states
from migrations_registry.models import MigrationFile
from migrations_registry.models.applied import APPLY
from migrations_registry.undo.keep_choice import KEEP
from operations.engine.specs import Parameters
from operations.models import Environment
from providers.errors import Refused

BASELINE = "migrations.baseline"
MOST = 20


@dataclass(frozen=True)
class Leg:
    """One act of the way: a kind, what it is asked with, and what people call it."""

    kind: str
    parameters: Parameters
    label: str


@dataclass(frozen=True)
class Judged:
    """Names of files about which observing says too little, as a person counts them."""

    as_applied: tuple[str, ...] = ()
    as_not_applied: tuple[str, ...] = ()


def way_to(
    file: MigrationFile,
    environment: Environment,
    judged: Judged = Judged(),
    *,
    every_stream: bool = False,
    keep: str = "",
) -> list[Leg]:
    """The streams that are not baselined, then what is pending up to and with this file, in the order in which files
    belong. `every_stream`: also the other streams' earlier files. `keep`: how much of what each destroys.

    Raises Refused and ProviderError.
    """
    files = list(MigrationFile.objects.newest().order_by("position", "path"))
    at = next((number for number, row in enumerate(files) if row.pk == file.pk), None)
    if at is None:
        raise Refused(f"{file.name} is not the newest revision. Nothing was requested; ask for that one.")
    before = [row for row in files[: at + 1] if every_stream or row.stream == file.stream]
    legs: list[Leg] = []
    pending: set[int] = set()
    for stream in dict.fromkeys(row.stream for row in before):
        own = [row for row in files if row.stream == stream]
        if baseline.is_baselined(environment, stream):
            pending |= _pending(environment, own, before)
        else:
            leg, missing = _baselined(environment, stream, judged)
            legs.append(leg)
            pending |= missing
    if file.pk not in pending:
        raise Refused(f"{file.name} is applied on {environment} already. Nothing was requested.")
    return _bounded(file, [*legs, *(_applied(row, keep) for row in before if row.pk in pending)])


def _bounded(file: MigrationFile, legs: list[Leg]) -> list[Leg]:
    if len(legs) > MOST:
        raise Refused(
            f"The way to {file.name} has {len(legs)} acts, more than the {MOST} that one request may hold. Nothing was "
            "requested. Ask for the way to an earlier file first."
        )
    return legs


def _pending(environment: Environment, stream: Sequence[MigrationFile], before: Iterable[MigrationFile]) -> set[int]:
    standings, _ = history_states.standings(stream, history_states.rows_of(environment))
    wanted = {row.pk for row in before}
    changed = [one.file.name for one in standings if one.file.pk in wanted and one.state == history_states.CHANGED]
    if changed:
        raise Refused(f"{changed[0]} changed after it was applied on {environment}. Nothing was requested.")
    return {one.file.pk for one in standings if one.state == history_states.PENDING}


def _baselined(environment: Environment, stream: str, judged: Judged) -> tuple[Leg, set[int]]:
    """The act, and which files are pending once it is done."""
    proposals = baseline.propose(environment, stream)
    unclear = {proposal.file.name for proposal in proposals if not proposal.decided}
    yes, no = ([name for name in names if name in unclear] for names in (judged.as_applied, judged.as_not_applied))
    done = {row.pk for row in baseline.applied(proposals, yes)}
    given = {"stream": stream, "as_applied": ", ".join(yes), "as_not_applied": ", ".join(no)}
    leg = Leg(
        BASELINE,
        {name: value for name, value in given.items() if value},
        f"baseline of {MigrationFile.Stream(stream).label}",
    )
    return leg, {proposal.file.pk for proposal in proposals} - done


def _applied(file: MigrationFile, keep: str) -> Leg:
    return Leg(APPLY, {"file": file.sha256, **({KEEP: keep} if keep else {})}, file.name)
