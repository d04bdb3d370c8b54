"""The steps of a restore at Supabase: check, drain, our own run of the present, the one call, watch, verify, record.

In: a step context. Out: the project as it was at the target; a result and a ledger entry that say what that took back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from backups.export import steps
from backups.models import ProviderBackup, named
from backups.provider import at_most_once, restore_status, safety_export, verify
from backups.provider.sync import sync
from backups.provider.target import Target, target_of
from ledger.services import record
from operations.databases import renew
from operations.engine.claim import lock
from operations.engine.context import StepContext
from operations.periodic.clock import database_time
from operations.supabase_projects import supabase
from providers.errors import ProviderError, Refused

PATIENCE = 240


def target(ctx: StepContext) -> Target:
    """What `check` found, from the result: while the project is down its list of backups says nothing."""
    result = ctx.operation.result
    backup = ProviderBackup.objects.filter(pk=result["backup"]).first() if result.get("backup") else None
    return Target(str(result["ref"]), datetime.fromisoformat(str(result["restored_to"])), backup)


def check(ctx: StepContext) -> None:
    """Ask Supabase now: is the project well, is the copy still there. Raises Refused; nothing was changed then."""
    wanted = target_of(ctx.operation.kind, ctx.environment, ctx.parameters)
    api = supabase()
    project = api.projects.get(wanted.ref)
    if not project.healthy and not safety_export.skipped(ctx):
        raise Refused(
            f"The project is {project.status}, not ACTIVE_HEALTHY. Nothing was changed. Resume or repair it first; "
            "if its database is what is broken, request it with present=skip."
        )
    _still_there(api.backups.list(wanted.ref), wanted)
    ctx.result(
        target=wanted.name,
        ref=wanted.ref,
        backup=wanted.backup.pk if wanted.backup else None,
        restored_to=wanted.at.isoformat(),
        mark=restore_status.mark_of(ctx.environment),
    )
    ctx.log(f"{project.name or wanted.ref} is {project.status}; {wanted.name} can be restored.")


def _still_there(listed: Any, wanted: Target) -> None:
    if wanted.backup is None:
        if not listed.pitr_enabled or listed.earliest is None:
            raise Refused("Supabase says that point-in-time recovery is not enabled. Nothing was changed.")
        if wanted.at < listed.earliest:
            raise Refused(f"The window now begins at {listed.earliest:%Y-%m-%dT%H:%M:%SZ}. Nothing was changed.")
        return
    if wanted.backup.kind == ProviderBackup.Kind.RESTORE_POINT:
        return
    ids = {str(entry.id) for entry in listed.restorable}
    if wanted.backup.external_id not in ids:
        raise Refused(f"Supabase no longer lists {wanted.backup} as completed. Nothing was changed. Choose another.")


def ask(ctx: StepContext) -> None:
    """The one call that changes everything."""
    wanted, api = target(ctx), supabase()
    mark = str(ctx.operation.result.get("mark", ""))

    def write() -> None:
        if wanted.backup is None:
            api.backups.restore_to(wanted.ref, wanted.at)
        elif wanted.backup.kind == ProviderBackup.Kind.RESTORE_POINT:
            api.backups.undo(wanted.ref, wanted.backup.external_id)
        else:
            api.backups.restore(wanted.ref, int(wanted.backup.external_id))

    at_most_once.once(
        ctx, write, lambda: restore_status.look(api, wanted.ref, ctx.environment).moved_from(mark), wanted.name
    )


def watch(ctx: StepContext) -> None:
    """Wait until the project is healthy and another database answers. Raises ProviderError where it failed or hangs."""
    wanted, api = target(ctx), supabase()
    mark = str(ctx.operation.result.get("mark", ""))
    still = 0
    while True:
        sight = restore_status.look(api, wanted.ref, ctx.environment)
        if sight.status in restore_status.BROKEN:
            raise ProviderError(
                f"Supabase says that the project is {sight.status}. It is NOT as it was before: open its dashboard and "
                f"Supabase's support now. {_what_we_hold(ctx)}"
            )
        moved = ctx.state.get("moved") or sight.moved_from(mark)
        if moved and not ctx.state.get("moved"):
            ctx.state["moved"] = True
            ctx.save_state()
        if sight.status == "ACTIVE_HEALTHY" and sight.mark and (sight.mark != mark if mark else moved):
            break
        still = still + 1 if sight.status in ("", "ACTIVE_HEALTHY") else 0
        if still > PATIENCE:
            raise ProviderError(_hanging(sight.status, ctx))
        ctx.progress(still, PATIENCE, unit="looks", note=f"project {sight.status or 'cannot be read'}")
        at_most_once.SUPABASE.pause(ctx)
    ctx.result(restored_at=database_time().isoformat())
    ctx.log("The project is healthy again and its database answers.")


def _hanging(status: str, ctx: StepContext) -> str:
    seen = "is healthy, but its database is the one from before" if status else "can no longer be read"
    return f"Supabase accepted the restore, and the project {seen}. Look at its dashboard. {_what_we_hold(ctx)}"


def _what_we_hold(ctx: StepContext) -> str:
    run = ctx.operation.result.get("present")
    kept = f"is our {named.name_of(run)}" if run else "was given up by request"
    return f"The state before it {kept}."


def check_restored(ctx: StepContext) -> None:
    """Compare with our newest proven run from before the target; tell what the restore took back."""
    wanted = target(ctx)
    renew(ctx.environment)
    report = verify.compare(ctx, wanted)
    ctx.result(compared_with=report.run, chains=report.chains, taken_back=report.taken_back)
    for table, rows in report.taken_back.items():
        ctx.log(f"{table}: {rows} rows fewer than before.")
    if report.problems:
        raise ProviderError(
            f"The project was restored to {wanted.name}, but it is not what our {named.name_of(report.run)} holds: "
            f"{' '.join(report.problems[:5])} {_what_we_hold(ctx)}"
        )
    ctx.log(
        f"{report.chains} chains continue our {named.name_of(report.run)}."
        if report.run
        else "No run of ours is older to compare."
    )


def write_down(ctx: StepContext) -> None:
    """Ledger and rows; an identity that the restore changed is accepted, because a person approved the restore."""
    result = ctx.operation.result
    verify.accept_identity(ctx)
    with transaction.atomic():
        lock(ctx.lease)
        record(
            "backups.provider.restored",
            actor=ctx.operation.requested_by.username,
            environment=ctx.environment.slug,
            subject=str(result.get("target", "")),
            data={
                "operation": ctx.operation.pk,
                "restored_to": result.get("restored_to", ""),
                "present": result.get("present", ""),
                "present_run": named.name_of(result.get("present", "")),
                "compared_with": result.get("compared_with", ""),
                "taken_back": sum(int(rows) for rows in result.get("taken_back", {}).values()),
            },
            seeded=ctx.operation.seeded,
        )
    try:
        sync(ctx.environment, supabase(deadline=10.0))
    except ProviderError as error:
        ctx.log(f"Supabase's list could not be read afterwards: {error.message}")


def settle(ctx: StepContext) -> None:
    """No run stays `running`; an end that is no success is told in the ledger, once the call was sent."""
    steps.settle(ctx)
    asked = ctx.operation.steps.filter(name="provider_restore").exclude(detail={}).exists()
    if ctx.operation.outcome in ("", "succeeded") or not asked:
        return
    with transaction.atomic():
        lock(ctx.lease)
        record(
            "backups.provider.not_restored",
            actor=ctx.operation.requested_by.username,
            environment=ctx.environment.slug,
            subject=str(ctx.operation.result.get("target", "")),
            data={"operation": ctx.operation.pk, "reason": ctx.operation.error or "It was cancelled."},
            seeded=ctx.operation.seeded,
        )
