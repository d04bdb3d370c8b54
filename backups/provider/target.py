"""What a restore at Supabase goes back to: a daily backup, a point or a second. In: parameters. Out: a Target.

Raises Refused for what cannot be, before anything is asked of Supabase.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backups.models import ProviderBackup
from backups.models.provider_backup import KINDS
from backups.provider.assessment import judge, pitr_price
from operations.engine.specs import Parameters
from operations.models import Environment, SupabaseProject
from operations.periodic.clock import database_time
from operations.supabase_projects import ref_of
from operations.web.moments import second
from providers.errors import Refused

NOTHING = "Nothing was requested."


@dataclass(frozen=True)
class Target:
    """`at` is the moment whose state comes back; `backup` is None for point-in-time recovery."""

    ref: str
    at: datetime
    backup: ProviderBackup | None = None

    @property
    def name(self) -> str:
        stamp = f"{self.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return f"{self.backup} of {stamp}" if self.backup else stamp


def of_backup(environment: Environment, parameters: Parameters) -> Target:
    """The copy that `backup` names."""
    ref = ref_of(environment)
    project = _usable(environment)
    name = str(parameters.get("backup", ""))
    row = ProviderBackup.objects.filter(environment=environment, ref=ref, external_id=name).first()
    if row is None or row.kind == ProviderBackup.Kind.PITR_WINDOW:
        raise Refused(f"Supabase lists no backup {name!r} of {environment}. {NOTHING} {_what_there_is(environment)}")
    if not row.is_listed(project):
        seen = f"it was listed until {row.seen_at:%Y-%m-%d %H:%M} UTC"
        raise Refused(f"Supabase no longer keeps {row}, or does not say so: {seen}. {NOTHING}")
    if row.status not in ("COMPLETED", "AVAILABLE") or row.taken_at is None:
        raise Refused(f"{row} is {row.status}; it cannot be restored. {NOTHING} {_what_there_is(environment)}")
    return Target(ref, row.taken_at, row)


def of_second(environment: Environment, parameters: Parameters) -> Target:
    """The second that `at` names; it has to lie in the window that Supabase told of last."""
    ref = ref_of(environment)
    project = _usable(environment)
    at = second(str(parameters.get("at", "")))
    window = ProviderBackup.objects.told().filter(environment=environment, ref=ref, kind="pitr_window").first()
    if not (project and project.pitr_enabled):
        raise Refused(
            f"Point-in-time recovery is not enabled for {environment}. {NOTHING} {pitr_price(project)} "
            "Choose a daily backup or one of our own runs."
        )
    if window is None or window.earliest_at is None:
        raise Refused(f"Supabase tells of no window of {environment} now. {NOTHING} Choose one of our own runs.")
    newest = database_time() - timedelta(seconds=1)
    if not window.earliest_at <= at <= newest:
        raise Refused(
            f"{at:%Y-%m-%dT%H:%M:%SZ} lies outside the window, which reaches from "
            f"{window.earliest_at:%Y-%m-%dT%H:%M:%SZ} to now. {NOTHING}"
        )
    return Target(ref, at)


def target_of(kind: str, environment: Environment, parameters: Parameters) -> Target:
    """The target of an operation of either kind."""
    return (of_backup if kind == KINDS[0] else of_second)(environment, parameters)


def _usable(environment: Environment) -> SupabaseProject | None:
    project = SupabaseProject.objects.filter(environment=environment).first()
    if project is not None and project.paused:
        raise Refused(f"The project of {environment} is paused ({project.status}). {NOTHING} Resume it first.")
    return project


def _what_there_is(environment: Environment) -> str:
    project = SupabaseProject.objects.filter(environment=environment).first()
    rows = list(ProviderBackup.objects.restorable().filter(environment=environment)[:8])
    if not rows:
        return judge(project, []).sentence
    return "There is: " + ", ".join(f"{row.external_id} ({row.taken_at:%Y-%m-%d %H:%M} UTC)" for row in rows) + "."
