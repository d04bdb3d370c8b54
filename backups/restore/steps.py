"""The steps of `backups.restore` that every target has: check, load, settle; `sending_away` has those of live tables.

In: a step context. Out: rows in the target, a Restore row, ledger entries. A step that a target does not need ends
at once.
"""

from __future__ import annotations

import time
from typing import Any

import psycopg
from django.db import transaction

from backups import step_support
from backups.archive import keys
from backups.archive.late_rows import chosen
from backups.archive.manifest import Manifest
from backups.archive.subset import narrowed, refuse_unknown_chain
from backups.export import steps as export_steps
from backups.models import Restore, Run, named
from backups.progress import Watch
from backups.restore import in_place, preview, scratch, targets
from backups.restore.into_empty import Target, check_objects, restore
from backups.restore.targets import Place, parse
from backups.stores.trusted_manifest import late_rows_after, store_of, trusted_manifest
from ledger.services import record
from operations.dsns import dsn_from, export_dsn, restore_dsn
from operations.engine.claim import lock
from operations.engine.context import StepContext
from operations.models import Step, StepStatus
from operations.periodic.clock import database_time
from providers import postgres
from providers.counting import counted, first_of
from providers.errors import Refused
from providers.postgres.restore import grants
from providers.postgres.restore.side_effects import write_problems

ONLY_LIVE = ("maintenance_on", "drain", "present_copy", "present_prove", "maintenance_off")


def place_of(ctx: StepContext) -> Place:
    try:
        return parse(str(ctx.parameters["target"]))
    except ValueError as error:
        raise Refused(f"{error}. Nothing was written.") from None


def wanted_tables(parameters: dict[str, Any]) -> tuple[str, ...]:
    return tuple(name.strip() for name in str(parameters.get("tables", "")).split(",") if name.strip())


def source(ctx: StepContext) -> tuple[Run, Manifest]:
    """The run and the part of its manifest that is wanted. Raises ProviderError when the manifest is not trusted."""
    run = Run.objects.select_related("policy__environment").get(pk=ctx.parameters["run"])
    if run.purging_at is not None:
        raise Refused(f"Retention has deleted the data of {run} meanwhile. Nothing was written.")
    manifest = trusted_manifest(run, store_of(run))
    return run, narrowed(manifest, wanted_tables(ctx.parameters))


def check(ctx: StepContext) -> None:
    """Read every object back, and compare with live where the target asks for it."""
    run, manifest = source(ctx)
    row, _ = Restore.objects.get_or_create(
        operation=ctx.operation, defaults={"run": run, "target": ctx.parameters["target"]}
    )
    ctx.result(restore=row.pk)
    refuse_unknown_chain(manifest, str(ctx.parameters.get("chain", "")))
    extra = chosen(late_rows_after(run), manifest.tables, "")
    check_objects(manifest, store_of(run), keys.identities(), step_support.watch(ctx), extra)
    ctx.log(f"Checked {counted(len(manifest.segments), 'object')} of {run}: what the manifest says.")
    kind = place_of(ctx).kind
    if kind == "live":
        _refuse_unwritable(restore_dsn(ctx.environment), manifest)
    else:
        _skip_what_live_needs(ctx)
    if kind in ("compare", "live"):
        differences = in_place.compare(
            manifest, store_of(run), keys.identities(), export_dsn(ctx.environment), step_support.watch(ctx)
        )
        report = {difference.table: preview.document(difference) for difference in differences}
        if kind == "live":
            preview.refuse_more_along(preview.along(report), preview.approved(ctx.operation))
        Restore.objects.filter(operation=ctx.operation).update(report=report)
        ctx.result(difference=report)
        for line in preview.lines(report):
            ctx.log(line.text)


def _refuse_unwritable(dsn: str, manifest: Manifest) -> None:
    """Before anybody is sent away: the role that will write may write, and silence the tables' triggers."""
    with postgres.connect(dsn) as connection:
        texts = write_problems(connection, [table.qualified for table in manifest.tables])
    if texts:
        raise Refused("Nothing was written, and nobody was sent away. " + " ".join(texts[:5]))


def _skip_what_live_needs(ctx: StepContext) -> None:
    """No other target touches the live tables: those steps are shown as skipped, not as done."""
    with transaction.atomic():
        lock(ctx.lease)
        Step.objects.filter(operation=ctx.operation, name__in=ONLY_LIVE).update(status=StepStatus.SKIPPED)


def load(ctx: StepContext) -> None:
    """Bring the rows in. Each target is all or nothing or made anew: a repeated step begins from what was before."""
    began = time.monotonic()
    place = place_of(ctx)
    run, manifest = source(ctx)
    row = Restore.objects.get(operation=ctx.operation)
    if row.status != Restore.Status.RUNNING:
        return
    values = _load(ctx, place, run, manifest)
    rows = values.pop("rows", manifest.rows)
    with transaction.atomic():
        lock(ctx.lease)
        row.refresh_from_db(fields=["report"])  # a target that was made anew has written there since
        Restore.objects.filter(pk=row.pk).update(
            status=Restore.Status.SUCCEEDED,
            rows=rows,
            seconds=round(time.monotonic() - began, 2),
            ended_at=database_time(),
            report={**row.report, **values},
        )
        ctx.result(run=run.pk, target=ctx.parameters["target"], rows=rows, **values)
        _record(ctx, "backups.restore.succeeded", rows=rows)


def _load(ctx: StepContext, place: Place, run: Run, manifest: Manifest) -> dict[str, Any]:
    store, identities, watch = store_of(run), keys.identities(), step_support.held_watch(ctx)
    if place.kind == "compare":
        return {}
    if place.kind == "live":
        approved = preview.along(preview.approved(ctx.operation))
        done = in_place.apply(
            manifest, store, identities, restore_dsn(ctx.environment), watch, late_rows_after(run), approved
        )
        wrote = f"Removed {done.removed:,} and wrote {counted(done.written, 'row')} in one transaction"
        ctx.log(f"{wrote}; the tables equal the run.")
        counts = {"removed": done.removed, "written": done.written}
        return {**counts, "notes": first_of(done.notes, 20), "not_valid": done.not_valid}
    chain = str(ctx.parameters.get("chain", ""))
    target, values = _target(ctx, place, chain, watch)
    with scratch.whole_or_dropped(ctx, str(values.get("database", ""))):
        restored = restore(manifest, store, identities, target, watch, late_rows_after(run))
    readers = shared(target.dsn, target.schema) if place.kind == "schema" else []
    return {**values, "rows": restored.rows, "notes": first_of([*readers, *restored.notes], 20)}


def _target(ctx: StepContext, place: Place, chain: str, watch: Watch) -> tuple[Target, dict[str, Any]]:
    if place.kind == "database":
        targets.refuse_variable(place.name)
        dsn = dsn_from(place.name, "the database to restore into", "written")
        targets.refuse_database(dsn, watch)
        return Target(dsn, chain=chain), {}
    if place.kind == "schema":
        return Target(restore_dsn(ctx.environment), place.name, chain=chain), {"schema": place.name}
    name = scratch.make(ctx, watch)
    place_told = scratch.place(ctx.environment, name)
    ctx.log(f"Restoring into the new database {name} on {place_told['server']}.")
    target = Target(postgres.beside(scratch.dsn(ctx.environment), name), chain=chain, new=True)
    return target, {"database": name, "place": place_told}


def settle(ctx: StepContext) -> None:
    """No restore stays `running` after its operation; a copy of the present that never ended is settled too."""
    export_steps.settle(ctx)
    reason = ctx.operation.error or "The operation was cancelled."
    with transaction.atomic():
        lock(ctx.lease)
        changed = Restore.objects.filter(operation=ctx.operation, status=Restore.Status.RUNNING).update(
            status=Restore.Status.FAILED, ended_at=database_time()
        )
        if changed:
            _record(ctx, "backups.restore.failed", reason=reason)


def _record(ctx: StepContext, code: str, **data: object) -> None:
    run, target = str(ctx.parameters["run"]), str(ctx.parameters["target"])
    record(
        code,
        actor=ctx.operation.requested_by.username,
        environment=ctx.environment.slug,
        subject=run,
        data={"operation": ctx.operation.pk, "target": target, "run_name": named.name_of(run), **data},
        seeded=ctx.operation.seeded,
    )


def shared(dsn: str, schema: str) -> list[str]:
    """Grant the new schema for reading; one note. A refusal is a note too: the rows are there."""
    try:
        with postgres.connect(dsn, read_only=False) as connection:
            owners = grants.share(connection, schema)
    except psycopg.Error as error:
        return [postgres.explain(error, f"Granting {schema} for reading (its rows are there)").message]
    return [f"Readable by {', '.join(owners)}."] if owners else []
