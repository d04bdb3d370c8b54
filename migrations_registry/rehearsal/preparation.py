"""What a rehearsal needs to know of the target before it leaves it alone: which run, which files before, live sizes.

In: a context, a file. Out: JSON for the next step, which has the keys to the run and no way to the target.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from django.conf import settings

from backups.models import Run
from migrations_registry.analysis.facts import TableFacts
from migrations_registry.analysis.model import Name
from migrations_registry.apply.attempt import journal
from migrations_registry.apply.target_checks import session
from migrations_registry.drift.detect import trusted
from migrations_registry.history import baseline
from migrations_registry.history import states as history_states
from migrations_registry.models import Application, MigrationFile
from migrations_registry.rehearsal.rights import denied
from migrations_registry.rehearsal.trace import claims_of
from migrations_registry.services.live_facts import live_around
from migrations_registry.services.planning import Review, review
from operations.dsns import known_dsn
from operations.engine.context import StepContext
from operations.models import Environment
from providers.errors import ProviderError, Refused

LOOKED_AT = 30
UNASKED = "Whether the role that applies it may do all that on the target was not asked"


def run_for(environment: Environment, tables: Iterable[str] = ()) -> Run | None:
    """The newest proven run of the environment that has the most of these tables."""
    runs = Run.objects.counting().filter(policy__environment=environment, purging_at=None)
    wanted = set(tables)
    newest = runs.select_related("policy__environment").order_by("-snapshot_at")[:LOOKED_AT]
    return max(newest, key=lambda run: len(wanted & set(run.tables)), default=None)


def prepare(ctx: StepContext, file: MigrationFile, *, every_stream: bool = False) -> None:
    """Journal everything for the copy. `every_stream`: other streams' earlier files run first too. Raises Refused where
    there is no run to restore."""
    reviewed = review(file, ctx.environment)
    if reviewed.plan.refusals:
        raise Refused(f"{file.name} cannot be applied, so it was not rehearsed: {'; '.join(reviewed.plan.refusals)}.")
    tables = [".".join(touched.name) for step in reviewed.plan.steps for touched in step.objects if not touched.is_new]
    run = run_for(ctx.environment, tables)
    if run is None:
        raise Refused(
            f"{ctx.environment} has no proven run, so there is nothing to rehearse on. Nothing was changed. Request "
            "backups.export, then this again."
        )
    before = _before(file, ctx.environment, run, every_stream)
    files = (*before, reviewed)
    ctx.state = {
        "run": run.pk,
        "schema_only": run.raw_bytes > settings.OPS_REHEARSAL_MOST_BYTES,
        "content_sha256": hashlib.sha256(reviewed.content).hexdigest(),
        "schema": schema.sha256 if (schema := trusted(ctx.environment)) else None,
        "files": [_pending(each) for each in files],
        "claims": [asdict(claim) for claim in claims_of(reviewed.analysis)],
        "live": {".".join(name): table.rows for name, table in tables_of(reviewed)},
        "around": asdict(live_around(ctx.environment, [each.file.data.decode("utf-8", "replace") for each in files])),
        "bytes": {".".join(name): table.bytes for name, table in tables_of(reviewed)},
        **_rights(file, before, ctx.environment),
    }
    ctx.save_state()
    names = "".join(f" after {each.file.name}," for each in before)
    ctx.log(f"{file.name} is rehearsed,{names} on {run}")


def _rights(file: MigrationFile, before: Sequence[Review], environment: Environment) -> dict[str, Any]:
    """What the role that would apply it may not, and, where it could not be asked, that nobody knows."""
    if known_dsn(environment, "migration"):
        try:
            with session(environment) as connection:
                return {"denied": denied(connection, file.data, [each.file.data for each in before]), "unasked": ""}
        except ProviderError as error:
            return {"denied": [], "unasked": f"{UNASKED}: {error}"}
    return {"denied": [], "unasked": f"{UNASKED}: {environment.variable('migration')} is not set where it rehearses."}


def tables_of(reviewed: Review) -> list[tuple[Name, TableFacts]]:
    """As the live catalog has them; none where it could not be read."""
    return list(reviewed.facts.tables.items()) if reviewed.facts else []


def _pending(reviewed: Review) -> dict[str, Any]:
    return {"file": reviewed.file.pk, "steps": journal(reviewed.plan), "risk": reviewed.plan.risk}


def _before(file: MigrationFile, environment: Environment, run: Run, every_stream: bool) -> list[Review]:
    """What was applied since the run was copied, then what has to be applied before this file."""
    since = Application.objects.filter(environment=environment, status="applied", ended_at__gt=run.snapshot_at)
    applied = [row.file for row in since.exclude(file=file).select_related("file").order_by("ended_at")]
    rows = list(MigrationFile.objects.newest().order_by("position", "path"))
    earlier = rows[: rows.index(file)] if file in rows else []
    streams = {row.stream for row in earlier if every_stream or row.stream == file.stream}
    pending = {
        pk for stream in streams for pk in _pending_of(environment, [row for row in rows if row.stream == stream])
    }
    return [
        review(each, environment, live=False) for each in (*applied, *(row for row in earlier if row.pk in pending))
    ]


def _pending_of(environment: Environment, stream: list[MigrationFile]) -> set[int]:
    """Of a stream that is not baselined yet, what the target's schema shows is there, is not pending."""
    standings, _ = history_states.standings(stream, history_states.rows_of(environment))
    pending = {standing.file.pk for standing in standings if standing.state == history_states.PENDING}
    if pending and not baseline.is_baselined(environment, stream[0].stream):
        pending -= {row.pk for row in baseline.applied(baseline.propose(environment, stream[0].stream), [])}
    return pending
