"""`backups.provider_resume`: wake a project that Supabase paused, and watch until its services answer.

In: an environment whose project was last seen paused. Out: the project healthy, its rows read again. Supabase keeps a
paused project for a year (supabase.com/docs/guides/platform/free-project-pausing).
"""

from __future__ import annotations

from backups.provider import at_most_once
from backups.provider.sync import sync
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameters, step
from operations.models import Environment, Risk, SupabaseProject
from operations.supabase_projects import ref_of, supabase
from providers.errors import ProviderError, Refused

PAUSED, AWAKE = "INACTIVE", "ACTIVE_HEALTHY"
FAILED = {"RESTORE_FAILED", "INIT_FAILED", "REMOVED"}
LOOKS = 240


def wake(ctx: StepContext) -> None:
    """Ask once, where it is still paused; raises ProviderError where Supabase declines or it does not come up."""
    api, ref = supabase(), ref_of(ctx.environment)

    def status() -> str:
        return api.projects.get(ref).status

    def ended() -> str | None:
        now = status()
        return now if now == AWAKE or now in FAILED else None

    if ctx.state.get("asked_at") or status() == PAUSED:
        at_most_once.once(ctx, lambda: api.projects.resume(ref), lambda: status() != PAUSED, "the project's resumption")
    found = at_most_once.SUPABASE.until(ctx, ended, LOOKS)
    if found != AWAKE:
        raise ProviderError(
            f"Supabase was asked to resume {ref}, and says {found or status()}. Its data is kept for a year after it "
            "was paused. Look at its dashboard, or request it again once that says that it is paused."
        )
    sync(ctx.environment, api)
    ctx.result(project=ref, status=found)


class ResumeProject(OperationKind):
    name, label, permission = "backups.provider_resume", "Resume a paused Supabase project", "backups.request_restore"
    about = "Wakes a project that Supabase paused."
    risk, restores_service = Risk.ROUTINE, True
    connects = ("project",)
    exclusive = "project:{environment}"
    subject = "the paused project"
    steps = [step("resume", wake, pool="urgent", deadline=3600, stall=600)]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        ref, row = ref_of(environment), SupabaseProject.objects.filter(environment=environment).first()
        if row is None or row.status != PAUSED:
            said = row.status if row and row.status else "not read yet"
            raise Refused(
                f"The project {ref} is {said}, not {PAUSED}. Nothing was requested. Run sampelit-ops "
                "sync_provider_backups if it was paused just now."
            )
        return {}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [
            Consequence(f"Supabase wakes the project {ref_of(environment)}; that takes some minutes.", "ok"),
            Consequence("Its plan is billed again from then on. Its data is as it was when it was paused."),
        ]
