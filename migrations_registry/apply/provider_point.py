"""The provider's own restore point beside ours, where it offers one; never instead of ours.

In: a step context. Out: a mark at Supabase and a line in the log. It is asked once: a lost answer is looked up, and
whatever it says stops nothing, because the proven export is what a restore needs.
"""

from __future__ import annotations

from django.utils import timezone

from backups.models import ProviderBackup
from operations.engine.context import StepContext
from operations.supabase_projects import configured, supabase
from providers.errors import ProviderError, Refused
from providers.supabase import RestorePoint

SECONDS = 20.0


def name_of(ctx: StepContext) -> str:
    """At most 20 characters; the end of an operation's id is the part that differs."""
    return f"apply-{ctx.operation.pk[-12:].lower()}"


def mark(ctx: StepContext) -> None:
    """Ask Supabase to mark now, if this environment has a project there."""
    ref = ctx.environment.supabase_ref
    if not (ref and configured()) or ctx.operation.result.get("provider_point"):
        return
    try:
        made = _asked(ctx, ref)
    except (ProviderError, Refused) as error:
        ctx.log(f"Supabase gives no restore point of its own ({error}); the proven export is the restore point.")
        return
    ProviderBackup.objects.update_or_create(
        ref=ref, kind=ProviderBackup.Kind.RESTORE_POINT, external_id=made.name,
        defaults={"environment": ctx.environment, "status": made.status, "taken_at": made.completed_at
                  or timezone.now(), "seen_at": timezone.now(), "gone_at": None},
    )  # fmt: skip
    ctx.result(provider_point=made.name)
    ctx.log(f"Supabase's own restore point {made.name} is {made.status.lower() or 'made'}, beside ours.")


def _asked(ctx: StepContext, ref: str) -> RestorePoint:
    backups = supabase(deadline=SECONDS, timeout=(5.0, SECONDS)).backups
    if ctx.state.get("provider_asked"):
        return backups.point(ref, name_of(ctx))
    ctx.state["provider_asked"] = True
    ctx.save_state()
    return backups.create_point(ref, name_of(ctx))
