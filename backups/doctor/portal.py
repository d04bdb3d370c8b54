"""Live checks of the portal's own survival: its copy, the ledger's checkpoints, witness, reaper, Render's window.

In: the store, Render's API. Out: Checks. Registered in AppConfig.ready.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings

from backups.anchoring import checkpoints, witness
from backups.archive import keys
from backups.models import Policy, Run
from backups.retention.facts import planned
from backups.retention.model import BROUGHT_BACK, TOMBSTONE
from ledger.models import Entry, Head
from operations import doctor
from operations.doctor import Check
from operations.models import Environment
from operations.models.environment import PORTAL
from operations.periodic.clock import database_time
from operations.web import formatting
from providers.counting import counted
from providers.errors import ProviderError, Refused
from providers.render import Render
from providers.render.postgres import Database
from providers.storage.factory import NOT_HERE, open_store

OURS = "sampelit-ops-db"  # its name in render.yaml
COPY_AGE, MARK_AGE = timedelta(hours=13), timedelta(hours=2)
NEW = timedelta(minutes=5)


def portal_copy(environment: Environment | None) -> Iterator[Check]:
    """How much of the portal's own history a lost database would cost."""
    if environment is not None and environment.slug != PORTAL:
        return
    newest = Run.objects.counting().filter(policy__environment__slug=PORTAL).order_by("-proven_at").first()
    why = "The portal's database lost: everything since this copy is lost with it (sampelit-ops recover)."
    fix = "sampelit-ops request backups.export --environment portal --set policy=portal"
    if newest is None or newest.proven_at is None:
        encrypted = bool(keys.recipients())
        fix = fix if encrypted else "Set BACKUP_AGE_RECIPIENTS: it is never copied in clear."
        yield Check("copy of the portal", "warn", "none is proven", why, fix)
        return
    old = database_time() - newest.proven_at > COPY_AGE
    yield Check(
        "copy of the portal", "warn" if old else "ok", formatting.relative(newest.proven_at), why, fix if old else ""
    )


def ledger_checkpoints(environment: Environment | None) -> Iterator[Check]:
    """The newest head that lies in the store, and whether anybody edited one."""
    head = Head.objects.filter(pk=1).first()
    if environment is not None or head is None or head.sequence == 0:
        return
    why = "A ledger that was cut back is found by comparing it with what was written down outside."
    try:
        store = open_store(settings.BACKUP_STORE)
        marks = checkpoints.marks(store, keys.verifier())
        edited = checkpoints.rejected(store, keys.verifier())
    except (ProviderError, Refused) as error:
        yield Check("ledger checkpoints", "warn", str(error), why, "Make the store reachable.")
        return
    if edited:
        fix = "Find out who wrote there; compare with the witness."
        yield Check("ledger checkpoints", "bad", f"not what the portal signed: {', '.join(edited[:3])}", why, fix)
        return
    if not marks:
        tone, found = (
            ("idle", "none yet in the store, the ledger is new") if _is_new() else ("warn", "none in the store")
        )
        yield Check("ledger checkpoints", tone, found, why, "Set BACKUP_SIGNING_KEY in a worker.")
        return
    late = head.sequence > marks[0].size and database_time() - marks[0].at > MARK_AGE
    state = f"{counted(marks[0].size, 'entry')}, {formatting.relative(marks[0].at)}"
    fix = "A worker with BACKUP_SIGNING_KEY writes one every hour: look at its log." if late else ""
    yield Check("ledger checkpoints", "warn" if late else "ok", state, why, fix)


def _is_new() -> bool:
    """Whether the worker's next turn may not have come yet."""
    first = Entry.objects.filter(seeded=False).order_by("sequence").first()
    return first is not None and database_time() - first.at < NEW


def last_witness(environment: Environment | None) -> Iterator[Check]:
    """When somebody outside last received the signed head."""
    if environment is not None:
        return
    entry, why = witness.last(), "Whoever owns portal and store could rewrite both; what others hold, nobody can."
    fix = "Give somebody the role Auditor and a address, or set BACKUP_WITNESS_STORE; sampelit-ops witness sends now."
    late = entry is None or database_time() - entry.at > witness.EVERY + timedelta(days=1)
    state = f"sent {formatting.relative(entry.at)}" if entry else "never sent"
    yield Check("last witness", "warn" if late else "ok", state, why, fix if late else "")


def retention(environment: Environment | None) -> Iterator[Check]:
    """Policies whose retention refuses to decide, and runs that were retired long ago and are still there."""
    policies = Policy.objects.select_related("environment")
    for policy in policies.filter(environment=environment) if environment else policies:
        plan = planned(policy)
        if plan.refused and (plan.of("retire") or plan.of("due")):
            why = "Nothing is retired or deleted on a doubt; storage grows."
            fix = "See the policy's What is kept."
            yield Check(f"retention of {policy.key}", "warn", f"{policy} refuses: {plan.refused}", why, fix)
    long_ago = database_time() - TOMBSTONE - timedelta(days=3)
    waiting = Run.objects.filter(retired_at__lt=long_ago, purged_at=None).exclude(pk__in=Run.objects.held())
    waiting = waiting.exclude(shows__status="open").exclude(brought_back_at__gt=database_time() - BROUGHT_BACK)
    count = waiting.exclude(retained_until__gt=database_time()).count()
    if environment is None and count:
        why = "Storage grows; nothing is lost."
        yield Check("retention", "warn", f"the data of {count} retired runs is still there", why, NOT_HERE)


def render_recovery(environment: Environment | None) -> Iterator[Check]:
    """How far back Render itself can bring the portal's Postgres."""
    if environment is not None or not settings.RENDER_API_KEY:
        return
    name, why = "Render's recovery window", "The quickest way back, for as long as Render keeps it."
    try:
        render = Render(settings.RENDER_API_KEY, settings.RENDER_API_BASE, timeout=(3.0, 8.0), deadline=15.0)
        ours = _ours(render)
        if ours is None:
            yield Check(name, "idle", f"Render runs no database {OURS}: the portal's lies elsewhere", why)
            return
        window = render.databases.recovery(ours.id)
    except (ProviderError, Refused) as error:
        yield Check(name, "warn", str(error), why, "Check RENDER_API_KEY.")
        return
    if window.status == "AVAILABLE" and window.starts_at:
        since = f"{ours.name} ({ours.id}) can go back to {window.starts_at:%Y-%m-%d %H:%M} UTC"
        yield Check(name, "ok", since, why)
    else:
        fix = "Choose a paid plan with point-in-time recovery." if window.status == "NOT_AVAILABLE" else "Look again."
        yield Check(name, "warn", f"{ours.name} on plan {ours.plan}: {window.status.lower()}", why, fix)
    if ours.expires_at:
        fix = "Upgrade it: a free database is deleted."
        yield Check(f"{name}: expiry", "bad", f"{ours.name} expires {ours.expires_at:%Y-%m-%d}", why, fix)


def _ours(render: Render) -> Database | None:
    """By the host in DATABASE_URL (inside Render it is the database's id), else by its name in render.yaml."""
    host = (urlsplit(os.environ.get("DATABASE_URL", "")).hostname or "").split(".")[0]
    databases = list(render.databases.list())
    by_id = next((database for database in databases if database.id == host), None)
    return by_id or next((database for database in databases if database.name == OURS), None)


def register() -> None:
    for check in (portal_copy, ledger_checkpoints, last_witness, retention, render_recovery):
        doctor.register(check)
