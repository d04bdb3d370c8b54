"""Give the registered files to the Supabase CLI: supabase/migrations/<version>_<name>.sql, byte for byte.

In: a directory. Out: what was written, what was there already; nothing at all is written where anything differs. For an
environment: which streams and versions its history still has to be told about, by request and approval.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from migrations_registry.history import readings
from migrations_registry.history import states as history_states
from migrations_registry.models import MigrationFile, StreamBaseline
from migrations_registry.observing import APPLIED
from operations.models import Environment
from providers.errors import ProviderError, Refused

PLACE = Path("supabase", "migrations")


@dataclass(frozen=True)
class Adopted:
    """`written` and `same` are file names; `foreign` lie there and are not registered."""

    written: list[str]
    same: list[str]
    foreign: list[str]


def adopt(directory: Path) -> Adopted:
    """Write what is missing. Raises Refused, with nothing written, where a file differs or has another name."""
    if not directory.is_dir():
        raise Refused(f"{directory} is no directory. Nothing was written; give the root of the checkout.")
    place = directory / PLACE
    if not place.resolve().is_relative_to(directory.resolve()):
        raise Refused(f"{place} leads out of {directory}. Nothing was written.")
    wanted = _wanted()
    there = {path.name for path in place.glob("*.sql")} if place.is_dir() else set()
    _refuse_differences(place, wanted, there)
    place.mkdir(parents=True, exist_ok=True)
    for name in sorted(wanted.keys() - there):
        with (place / name).open("xb") as stream:
            stream.write(wanted[name])
    return Adopted(sorted(wanted.keys() - there), sorted(wanted.keys() & there), sorted(there - wanted.keys()))


def _wanted() -> dict[str, bytes]:
    """File name → bytes of every newest revision. Raises Refused where two contents claim one version."""
    files = list(MigrationFile.objects.newest().order_by("position", "path"))
    versions = history_states.versions_of(files)
    exports: dict[str, bytes] = {}
    owner: dict[str, MigrationFile] = {}
    for file in files:
        version = versions[file.pk]
        other = owner.setdefault(version, file)
        if other.sha256 != file.sha256:
            raise Refused(
                f"{other.path} and {file.path} have the version {version} and different bytes. Nothing was written."
            )
        if other is file:
            exports[history_states.cli_name(file, version)] = file.data
    if not exports:
        raise Refused("No migration is registered. Nothing was written; run discover_migrations first.")
    return exports


def _refuse_differences(place: Path, wanted: dict[str, bytes], there: set[str]) -> None:
    versions = {name.partition("_")[0]: name for name in wanted}
    problems = []
    for name in sorted(there):
        path = place / name
        if path.is_symlink() or not path.is_file():
            problems.append(f"{name} is no ordinary file")
        elif name in wanted and path.read_bytes() != wanted[name]:
            problems.append(f"{name} differs from what is registered")
        elif name not in wanted and name.partition("_")[0] in versions:
            problems.append(f"{name} has the version of {versions[name.partition('_')[0]]}")
    if problems:
        raise Refused(f"{'; '.join(problems)}. Nothing was written; move these away or register them, then run again.")


def unmarked(environment: Environment) -> tuple[list[str], list[str]]:
    """(streams to baseline, versions to mark as applied). Raises Refused and ProviderError."""
    row = readings.refresh(environment)
    if row.problem:
        raise ProviderError(row.problem)
    files = {str(file.pk): file for file in MigrationFile.objects.newest().defer("content")}
    baselined = set(StreamBaseline.objects.filter(environment=environment).values_list("stream", flat=True))
    streams = {file.stream for file in files.values()} - baselined
    versions = [
        state["version"]
        for pk, state in row.states.items()
        if state.get("observed") == APPLIED
        and state["state"] == history_states.PENDING
        and files[pk].stream in baselined
    ]
    return sorted(streams), versions
