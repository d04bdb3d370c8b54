"""The Management API's client for this portal's settings, and which project belongs to which environment.

In: SUPABASE_ACCESS_TOKEN. Out: `supabase()`, or Refused; `link` is the one way a project is chosen.
"""

from __future__ import annotations

import functools

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from ledger.services import record
from operations import audit as operations_audit
from operations.accounts import SUPABASE
from operations.models import Environment, Heartbeat, SupabaseProject
from operations.notify import enqueue
from operations.periodic.clock import database_time
from operations.periodic.gone import Listed
from providers.errors import Refused
from providers.supabase import Supabase

PROJECTS = "supabase.projects"


def configured() -> bool:
    return bool(settings.SUPABASE_ACCESS_TOKEN)


def supabase(*, deadline: float = 45.0, timeout: tuple[float, float] = (5.0, 30.0)) -> Supabase:
    """The client; its rate-limit memory is shared by this process. Raises Refused without a token."""
    if not configured():
        raise Refused(
            "SUPABASE_ACCESS_TOKEN is not set. Nothing was asked of Supabase. Create a token in Supabase (Account, "
            "Access Tokens) and set the variable on every service of the portal."
        )
    return _client(settings.SUPABASE_ACCESS_TOKEN, settings.SUPABASE_API_BASE, deadline, timeout)


def quick() -> Supabase:
    """For pages: gives up after a few seconds, so that a slow Supabase never blocks the portal."""
    return supabase(deadline=4.0, timeout=(2.0, 4.0))


def ref_of(environment: Environment) -> str:
    """The project's ref. Raises Refused where the environment has none."""
    if not environment.supabase_ref:
        raise Refused(
            f"{environment} has no Supabase project. Nothing was asked of Supabase. "
            "Run sampelit-ops setup, or choose the project on the set-up page."
        )
    return environment.supabase_ref


@functools.lru_cache(maxsize=8)
def _client(token: str, base: str, deadline: float, timeout: tuple[float, float]) -> Supabase:
    return Supabase(token, base, timeout=timeout, deadline=deadline)


def remember_projects(api: Supabase) -> list[dict[str, str]]:
    """Ask for every project that the token sees and keep the list for the pages. Raises ProviderError."""
    projects = [
        {"ref": project.ref, "name": project.name, "region": project.region, "status": project.status}
        for project in api.projects.list()
    ]
    with transaction.atomic():
        row, _ = Heartbeat.objects.select_for_update().get_or_create(name=PROJECTS, defaults={"beat_at": Now()})
        before, listed = known_projects(), Listed(row.detail.get("missing", {}))
        known = listed.look(before, projects) if projects else before  # an empty list says nothing of what was seen
        Heartbeat.objects.keep(PROJECTS, {"projects": known, "missing": listed.missing})
        if listed.gone:
            _tell_gone([f"{project['ref']} ({project['name']})" for project in listed.gone.values()])
    return list(known)


def _tell_gone(projects: list[str]) -> None:
    names = ", ".join(projects)
    record("operations.projects_gone", actor=SUPABASE, subject=names[:60], data={"names": names})
    key, body = f"projects_gone:{database_time().isoformat()}", "It was deleted, or the token may not see it any more."
    enqueue(key, subject=f"Supabase no longer lists the project {names}"[:200], body=body)


def known_projects() -> list[dict[str, str]]:
    """The projects of the last reading; nothing before the first."""
    return list(Heartbeat.objects.kept(PROJECTS).get("projects", []))


def link(environment: Environment, ref: str, *, by: str, how: str) -> None:
    """Say which project is this environment's. Raises Refused for one that the token does not see, or is another's."""
    known = {project["ref"]: project["name"] for project in known_projects()}
    if known and ref not in known:
        listed = ", ".join(f"{ref} ({name})" for ref, name in known.items())
        raise Refused(f"The token sees no project {ref!r}; {environment} stays as it was. It sees: {listed}.")
    before = Environment.objects.get(pk=environment.pk)
    if before.supabase_ref == ref:
        return
    if before.supabase_ref:
        raise Refused(
            f"{environment} has the project {before.supabase_ref}; another one needs votes. Nothing was changed. "
            f"Request environments.change with supabase_ref={ref}."
        )
    _refuse_another(environment, ref)
    with transaction.atomic():
        try:
            with transaction.atomic():
                Environment.objects.filter(pk=environment.pk).update(supabase_ref=ref)
        except IntegrityError:  # linked in the same moment
            _refuse_another(environment, ref)
            raise
        environment.supabase_ref = ref
        SupabaseProject.objects.update_or_create(
            environment=environment, defaults={"ref": ref, "matched_by": how[:200], "seen_at": None, "status": ""}
        )
        operations_audit.note(before, Environment.objects.get(pk=environment.pk), by=by)


def _refuse_another(environment: Environment, ref: str) -> None:
    """Raises Refused where the project is another environment's."""
    other = Environment.objects.filter(supabase_ref=ref).exclude(pk=environment.pk).first()
    if other is not None:
        raise Refused(
            f"{ref} is the project of {other}, whose votes guard it; {environment} stays without it. "
            "An administrator can change either on the environment's own page."
        )
