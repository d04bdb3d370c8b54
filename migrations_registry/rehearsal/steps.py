"""The steps of `migrations.rehearse`: look at the target, then run on a copy and write down what came of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction

from backups.models import Run
from backups.step_support import watch
from ledger.services import record
from migrations_registry.effects.wording import phrases
from migrations_registry.models import MigrationFile, Rehearsal
from migrations_registry.rehearsal.hazards import hazards
from migrations_registry.rehearsal.restored import Restored, restored
from migrations_registry.rehearsal.runner import Pending, Rehearsed, rehearse
from migrations_registry.rehearsal.trace import (
    Claim,
    Seen,
    Sizes,
    blocked_seconds,
    effect_lines,
    statement_lines,
    told_lines,
)
from operations.engine.claim import lock
from operations.engine.context import StepContext
from providers.counting import counted
from providers.postgres.schema.platform_objects import Around, StandIn

PREPARE = "prepare"
TOLD = 20
DENIED = "Grant that, or apply it as a role that may; then rehearse it again."


def run_on_a_copy(ctx: StepContext) -> None:
    """Restore, run, write down; a step that is repeated finds its row."""
    if Rehearsal.objects.filter(operation=ctx.operation.pk).exists():
        return
    asked = ctx.state_of(PREPARE)
    run = Run.objects.select_related("policy__environment").get(pk=asked["run"])
    files = {row.pk: row for row in MigrationFile.objects.filter(pk__in=[each["file"] for each in asked["files"]])}
    pending = [Pending(files[each["file"]], each["steps"], each["risk"]) for each in asked["files"]]
    began = time.monotonic()
    around = asked.get("around", {"platform": [], "extensions": {}})
    around = Around(tuple(StandIn(**each) for each in around["platform"]), around["extensions"])
    with restored(run, watch(ctx), around, schema_only=asked["schema_only"]) as copy:
        ctx.log(
            f"Restored {counted(sum(copy.rows.values()), 'row')} in {time.monotonic() - began:.1f} s; now the files."
        )
        done = rehearse(ctx, pending, copy)
        report = _report(asked, pending, done, copy)
    row = Rehearsal(
        file=pending[-1].file,
        environment=ctx.environment,
        run=run,
        operation=ctx.operation.pk,
        content_sha256=asked["content_sha256"],
        status=_status(done[-1], asked),
        schema_only=asked["schema_only"],
        report=report,
        error=_error(done[-1], pending[-1], asked),
        seconds=round(time.monotonic() - began, 2),
        requested_by=ctx.operation.requested_by.username,
    )
    _write_down(ctx, row, done[-1])


def _status(last: Rehearsed, asked: dict[str, Any]) -> str:
    if asked.get("denied"):
        return Rehearsal.Status.FAILED
    if not last.error:
        return Rehearsal.Status.PASSED
    return Rehearsal.Status.UNABLE if last.unable else Rehearsal.Status.FAILED


def _error(last: Rehearsed, wanted: Pending, asked: dict[str, Any]) -> str:
    """What the target would deny comes first: the copy's owner may more than the role there."""
    name = last.attempt.file.name
    own = f"{name}, which comes before it: {last.error}" if last.error and name != wanted.file.name else last.error
    denied = asked.get("denied")
    said = f"On the target permission would be denied: {'; '.join(denied)}. {DENIED}" if denied else ""
    return f"{said} {own}".strip()


def _report(
    asked: dict[str, Any], pending: Sequence[Pending], done: Sequence[Rehearsed], copy: Restored
) -> dict[str, Any]:
    """What is stored and shown of the file itself, with what it and those before it do to each other."""
    sizes = Sizes(asked["live"], copy.rows, asked.get("bytes", {}))
    is_reached = len(done) == len(pending)
    costs = done[-1].attempt.costs if is_reached else {}
    claims = [Claim(**claim) for claim in asked["claims"]]
    lines = statement_lines(claims, [Seen(at, **asdict(cost)) for at, cost in sorted(costs.items())], sizes)
    last = done[-1].attempt if is_reached else None
    effects, surplus = (last.effects, last.surplus) if last else ({}, {})
    did, more = (last.told("did"), last.told("surplus")) if last else ({}, {})
    return {
        "schema": asked.get("schema"),
        "before": [each.file.name for each in pending[:-1]],
        "missing": list(copy.missing),
        "stood_in": list(copy.stood_in),
        "statements": lines,
        "blocked_seconds": blocked_seconds(lines),
        "effects": {step: effect_lines(found, sizes) for step, found in effects.items()} | told_lines(did),
        "undeclared": {step: effect_lines(found, sizes) for step, found in surplus.items()} | told_lines(more),
        "undo": done[-1].undo.report() if is_reached and done[-1].undo else None,
        "hazards": [*filter(None, [asked.get("unasked")]), *hazards([each.trace for each in done])[:TOLD]],
    }


def _write_down(ctx: StepContext, row: Rehearsal, last: Rehearsed) -> None:
    """The row, its entry, and for a file that does graver things than it was called for, that it counts as such."""
    with transaction.atomic():
        lock(ctx.lease)
        row.save()
        if last.attempt.graver and last.attempt.file == row.file:
            losses = phrases(last.attempt.graver)[:TOLD]
            MigrationFile.objects.filter(pk=row.file.pk).update(measured_losses=losses)
        record(
            "migrations_registry.rehearsed",
            actor=row.requested_by,
            environment=ctx.environment.slug,
            subject=row.file.name,
            data={
                "outcome": row.get_status_display().lower(),
                "run": row.run.pk,
                "sha256": row.file.sha256,
                "operation": ctx.operation.pk,
                "error": row.error,
                "milliseconds": int(row.seconds * 1000),
            },
        )
    ctx.log(f"{row.get_status_display()}. {row.error}".strip())
    ctx.result(rehearsal=row.status, seconds=row.seconds, run=row.run.pk)
