"""Which migrations a commit holds, read once and kept; a failure is kept too, and tried again a minute later.

In: a repository (or a directory) and a commit. Out: a `SourceCommit`, within so many seconds. A page only takes what is
known, and wants the rest; workers read what is wanted.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from migrations_registry.models import SourceCommit
from migrations_registry.sources import reader as sources_reader
from migrations_registry.sources.discovery import discover
from operations.models import Heartbeat
from operations.periodic.clock import database_time
from operations.periodic.isolation import one_by_one
from providers import git
from providers.errors import ProviderError, Refused
from providers.redact import redact

SECONDS = 8.0
MOST_IN_A_ROUND = 2
NEVER = datetime(2000, 1, 1, tzinfo=UTC)
FRESH = timedelta(minutes=1)
KEPT = timedelta(days=90)
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_BEAT = "migrations.repository:"


def repository_of(service_repository: str) -> str:
    """Where a service's migrations are read from: MIGRATIONS_SOURCE, or the service's own repository."""
    return settings.MIGRATIONS_SOURCE or service_repository


def read(repository: str, revision: str, *, seconds: float = SECONDS) -> SourceCommit:
    """The commit's (or branch's) migrations; `problem` says why they could not be read. Never raises for that."""
    known = SourceCommit.objects.filter(repository=repository, commit=revision).first()
    if known and not _is_old(known):
        return known
    values: dict[str, object] = {"files": [], "rejected": [], "problem": "", "wanted_at": None}
    try:
        files, rejected = discover(_files(repository, revision, seconds))
        values["files"] = [{"path": file.path, "sha256": file.sha256, "stream": file.stream} for file in files]
        values["rejected"] = [str(file) for file in rejected]
    except (Refused, ProviderError) as error:
        values["problem"] = redact(str(error))
    values["read_at"] = database_time()
    row, _ = SourceCommit.objects.update_or_create(repository=repository, commit=revision, defaults=values)
    return row


def known(repository: str, revision: str) -> SourceCommit | None:
    """What was read of it; None where a worker reads it first. A directory of this machine is no stranger."""
    if repository == settings.MIGRATIONS_SOURCE and not git.is_url(repository):
        return read(repository, revision)
    row, _ = SourceCommit.objects.get_or_create(repository=repository, commit=revision, defaults={"read_at": NEVER})
    if not _is_old(row):
        return row
    SourceCommit.objects.filter(pk=row.pk, wanted_at=None).update(wanted_at=database_time())
    return None


def read_wanted() -> None:
    """Read what pages asked for, the oldest wish first and few in one round, so that other jobs have their turn."""
    wanted = SourceCommit.objects.exclude(wanted_at=None).order_by("wanted_at")
    one_by_one(wanted[:MOST_IN_A_ROUND], lambda row: read(row.repository, row.commit))


def _is_old(row: SourceCommit) -> bool:
    """A commit stays what it is; a branch moves, and what failed may work now."""
    if row.read_at == NEVER:
        return True
    stays = _COMMIT.fullmatch(row.commit) and not row.problem and git.is_url(row.repository)
    return not stays and database_time() - row.read_at > FRESH


def _files(repository: str, revision: str, seconds: float) -> sources_reader.Files:
    """Only what the machine's settings name may lie here; a plain directory has no commits, and is read as it lies."""
    source = f"{repository}@{revision}"
    if repository != settings.MIGRATIONS_SOURCE:
        return sources_reader.read_repository(source, seconds=seconds)
    commits_there = git.is_url(repository) or (Path(repository) / ".git").exists()
    return sources_reader.read_source(source if commits_there else repository, seconds=seconds)


def forget() -> None:
    """A commit that nobody asked about for long is read again when somebody does."""
    SourceCommit.objects.filter(read_at__lt=database_time() - KEPT).delete()


def look_at(repositories: set[str]) -> None:
    """Ask each repository for its HEAD, for the doctor: can this process reach it? Others are forgotten."""
    Heartbeat.objects.filter(name__startswith=_BEAT).exclude(detail__repository__in=sorted(repositories)).delete()
    one_by_one(sorted(repositories), _look_at)


def _look_at(repository: str) -> None:
    problem = ""
    try:
        local = repository == settings.MIGRATIONS_SOURCE
        if git.is_url(repository) or not local:
            git.reachable(repository, seconds=SECONDS, local=local)
        elif not Path(repository).is_dir():
            problem = f"{repository} is no directory here"
    except (Refused, ProviderError) as error:
        problem = redact(str(error))
    beat = {"beat_at": database_time(), "detail": {"repository": repository, "problem": problem}}
    Heartbeat.objects.update_or_create(name=f"{_BEAT}{repository}"[:120], defaults=beat)


def looks() -> list[tuple[str, str, Heartbeat]]:
    """(repository, problem, when) of every one that was looked at."""
    rows = Heartbeat.objects.filter(name__startswith=_BEAT)
    return [(str(row.detail.get("repository")), str(row.detail.get("problem", "")), row) for row in rows]
