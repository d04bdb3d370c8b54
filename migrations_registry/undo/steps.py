"""The step of `migrations.undo`: everything comes back in one transaction; then the schema is the expected one."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict

from django.db import transaction

from backups.restore.session import writing
from backups.step_support import held_watch
from ledger.services import record
from migrations_registry.drift import detect as drift_detect
from migrations_registry.fingerprint.model import of_rows
from migrations_registry.models import Application
from migrations_registry.undo.execute import Staged, Undone, undo
from migrations_registry.undo.known import Known, known
from migrations_registry.undo.staging import staging
from operations.dsns import restore_dsn
from operations.engine.claim import lock
from operations.engine.context import StepContext
from providers import postgres
from providers.postgres.connection import Connection
from providers.postgres.schema.objects import objects_in_transaction

LOCK_WAIT = "5s"


def bring_back(ctx: StepContext) -> None:
    """A step that is repeated after its COMMIT finds every object back, and rows that nobody misses."""
    row = Application.objects.select_related("file", "environment", "schema_before", "schema_after").get(
        operation=ctx.parameters["application"], environment=ctx.environment
    )
    if row.undone_by == ctx.operation.pk:
        return
    watch = held_watch(ctx)
    with postgres.explained("The undo (which was rolled back; nothing was changed)"):
        with writing(restore_dsn(ctx.environment), watch) as connection:
            with connection.transaction():
                done = _undone(ctx, connection, known(row))
                watch.check()
            seen = of_rows((item.kind, item.name, item.of, item.sql) for item in objects_in_transaction(connection))
    drift_detect.keep(ctx.environment, seen, because=f"{row.file.name} undone", operation=ctx.operation.pk)
    _write_down(ctx, row, done)


def _undone(ctx: StepContext, connection: Connection, facts: Known) -> Undone:
    connection.execute("SELECT pg_catalog.set_config('lock_timeout', %s, true)", [LOCK_WAIT])
    with ExitStack() as stages:
        parts = [
            Staged(
                part.losses,
                part.xids,
                stages.enter_context(staging(part.run, part.losses, held_watch(ctx), connection)),
            )
            for part in facts.parts
        ]
        return undo(connection, facts.looks, parts)


def _write_down(ctx: StepContext, row: Application, done: Undone) -> None:
    for line in (*done.told(), *done.notes):
        ctx.log(line)
    tables = {name: asdict(returned) for name, returned in done.tables.items()}
    with transaction.atomic():
        lock(ctx.lease)
        Application.objects.filter(pk=row.pk).update(undone_by=ctx.operation.pk)
        record(
            "migrations_registry.undone",
            actor=ctx.operation.requested_by.username,
            environment=ctx.environment.slug,
            subject=row.file.name,
            data={"operation": ctx.operation.pk, "tables": tables, "objects": done.objects, "notes": done.notes[:50]},
        )
    ctx.result(tables=tables, objects=done.objects, notes=done.notes[:50])
