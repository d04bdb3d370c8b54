"""Every copy that holds what was lost: our proven runs, Supabase's backups and points, its point-in-time window.

In: an environment, a Lost, the moment of the accident. Out: options with age, loss, downtime, price and
the operation that starts each; a layer that cannot help says why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from backups.archive.manifest import Manifest
from backups.models import ProviderBackup, Run
from backups.provider.assessment import judge, pitr_price
from backups.stores.trusted_manifest import store_of, trusted_manifest
from operations.models import Environment, Operation, SupabaseProject
from operations.web import formatting
from providers.errors import ProviderError
from sampelit_ops.recover.loss import Lost
from sampelit_ops.recover.migration_sql import column_of
from sampelit_ops.recover.missing_rows_sql import tables_for
from sampelit_ops.recover.option import Option

RUNS, COPIES = 3, 2
WHOLE_DOWN = "The whole product is down: minutes to hours, in maintenance."
NEW_DATABASE = "OPS_RESTORE_NEW_DSN"


def options(environment: Environment, lost: Lost, at: datetime) -> list[Option]:
    """The best way first: beside the live tables for a part, Supabase's own for the whole project."""
    return ways(environment, lost, at, list(restored(environment, lost, at)))


def ways(environment: Environment, lost: Lost, at: datetime, done: Sequence[Operation]) -> list[Option]:
    """The same, knowing the restores beside that were asked for this accident."""
    ours = list(_ours(environment, lost, at, schema_for(environment, lost, at, done)))
    project = project_of(environment)
    backups = list(ProviderBackup.objects.told().filter(environment=environment, ref=environment.supabase_ref))
    theirs = [*_pitr(project, backups, at), *_copies(project, backups, at)]
    return [*theirs, *ours] if lost.kind == "project" else [*ours, *theirs]


def project_of(environment: Environment) -> SupabaseProject | None:
    try:
        return environment.supabase_project
    except SupabaseProject.DoesNotExist:
        return None


def schema_for(environment: Environment, lost: Lost, at: datetime, done: Sequence[Operation]) -> str:
    """The schema of this accident; another name after each restore into it, because a schema is never filled twice."""
    before = sum(operation.terminal for operation in done)
    return _base(environment, lost, at) + (f"_{before + 1}" if before else "")


def _base(environment: Environment, lost: Lost, at: datetime) -> str:
    return "recover_" + hashlib.sha256(f"{environment.pk} {lost.words} {at.isoformat()}".encode()).hexdigest()[:8]


def restored(environment: Environment, lost: Lost, at: datetime) -> QuerySet[Operation]:
    """Restores beside that were asked for this accident, newest first."""
    asked = Operation.objects.filter(kind="backups.restore", environment=environment)
    target = f"schema:{_base(environment, lost, at)}"
    return asked.filter(parameters__target__startswith=target).order_by("-requested_at")


def _ours(environment: Environment, lost: Lost, at: datetime, schema: str) -> Iterator[Option]:
    runs = Run.objects.counting().filter(policy__environment=environment, snapshot_at__lte=at, purged_at=None)
    if lost.kind == "project":
        runs = runs.filter(policy__name="whole-database")
    else:
        runs = runs.filter(tables__contains=[lost.table])
    count = 0
    for run in runs.select_related("policy__environment").order_by("-snapshot_at")[: RUNS * 3]:
        if count < RUNS and (option := _run_option(lost, at, run, schema)):
            count += 1
            yield option
    if not count:
        what = "the whole database" if lost.kind == "project" else str(lost)
        yield Option("ours", "Our proven runs", note=f"No proven run from before then holds {what}.")


def _run_option(lost: Lost, at: datetime, run: Run, schema: str) -> Option | None:
    taken = run.snapshot_at or run.started_at
    common: dict[str, Any] = {
        "layer": "ours",
        "name": f"Our run {run}",
        "taken_at": taken,
        "loss_seconds": int((at - taken).total_seconds()),
        "price": "Nothing more than the store.",
    }
    if lost.kind == "project":
        parameters = {"run": run.pk, "target": f"database:{NEW_DATABASE}"}
        note = f"Make a new project, set {NEW_DATABASE} on the proving worker; afterwards point DATABASE_URL to it."
        return Option(
            **common,
            loss=_since(at, taken, "is lost"),
            downtime="Until the new database is filled "
            f"(the drill took {formatting.duration(run.proof_seconds)}) and the product points to it.",
            note=note,
            kind="backups.restore",
            parameters=parameters,
        )
    try:
        manifest = trusted_manifest(run, store_of(run))
    except ProviderError as error:
        return Option(**common, note=error.message)
    if not _holds(lost, manifest):
        return None
    parameters = {"run": run.pk, "target": f"schema:{schema}", "tables": ",".join(needed(lost, manifest))}
    if lost.kind == "experiment":
        parameters["chain"] = lost.key
    return Option(
        **common,
        loss=_since(at, taken, f"to the {lost.kind} is lost, nothing else"),
        downtime="None: restored beside, then a migration brings it over by key.",
        kind="backups.restore",
        parameters=parameters,
    )


def needed(lost: Lost, manifest: Manifest) -> list[str]:
    """The tables that have to lie beside."""
    return tables_for(manifest, lost.table) if lost.kind in ("rows", "experiment") else [lost.table]


def _holds(lost: Lost, manifest: Manifest) -> bool:
    table = next((item for item in manifest.tables if item.qualified == lost.table), None)
    if table is None:
        return False
    if lost.kind == "experiment":
        audit = next((item for item in manifest.tables if item.chains is not None), None)
        return audit is not None and lost.key in {head.chain for head in audit.chains or ()}
    return lost.kind != "column" or column_of(lost, table) is not None


def _since(until: datetime, taken: datetime, ending: str) -> str:
    return f"What changed in the {formatting.duration(max((until - taken).total_seconds(), 0))} before it {ending}."


def _whole(taken: datetime) -> dict[str, Any]:
    """What going back as a whole costs: everything since, of every table."""
    seconds = max((timezone.now() - taken).total_seconds(), 0)
    loss = f"Everything of every table since then ({formatting.duration(seconds)}) leaves production."
    return {"taken_at": taken, "loss_seconds": int(seconds), "loss": loss, "downtime": WHOLE_DOWN}


def _copies(project: SupabaseProject | None, backups: Sequence[ProviderBackup], at: datetime) -> Iterator[Option]:
    usable = [
        backup
        for backup in backups
        if backup.status in ("COMPLETED", "AVAILABLE") and backup.taken_at and backup.taken_at <= at
    ]
    newest = sorted(usable, key=lambda backup: backup.taken_at or at, reverse=True)[:COPIES]
    for row in newest:
        layer = "daily" if row.kind == ProviderBackup.Kind.DAILY else "point"
        yield Option(
            layer,
            str(row),
            price="Part of the plan.",
            note="Nobody has restored it before.",
            kind="backups.provider_restore",
            parameters={"backup": row.external_id},
            **_whole(row.taken_at or at),
        )
    if not newest:
        verdict = judge(project, backups)
        why = verdict.sentence if verdict.tone != "ok" else "Supabase keeps none from before then."
        yield Option("daily", "Supabase's daily backups", note=why)


def _pitr(project: SupabaseProject | None, backups: Sequence[ProviderBackup], at: datetime) -> Iterator[Option]:
    name, price = "Supabase, point in time", pitr_price(project)
    window = next((backup for backup in backups if backup.kind == ProviderBackup.Kind.PITR_WINDOW), None)
    target = (at - timedelta(seconds=1)).replace(microsecond=0)
    if window is None or window.earliest_at is None:
        yield Option("pitr", name, price=price, note="Not available: it is off, or nothing can be reached yet.")
    elif target < window.earliest_at:
        begins = f"{window.earliest_at:%Y-%m-%d %H:%M} UTC"
        yield Option("pitr", name, price=price, note=f"Its window begins only at {begins}.")
    else:
        yield Option(
            "pitr",
            f"{name}: one second before",
            price=price,
            kind="backups.provider_pitr",
            parameters={"at": f"{target:%Y-%m-%dT%H:%M:%SZ}"},
            **_whole(target),
        )
