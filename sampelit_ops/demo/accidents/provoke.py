"""Accidents that the demo provokes in its own sandbox, for real, and puts back: a forged row, a dropped column, a store
that refuses, a failing deploy. Only with DEMO=1 and only on this machine; the sandbox is reached by DSN and HTTP.

In: a name and who. Out: the accident, a ledger entry with what is needed to put it back. Raises Refused, ProviderError.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from ledger.models import Entry
from ledger.services import record
from providers.errors import Refused
from sampelit_ops.demo.accidents.causes import ENVIRONMENT, Undo, drop, expire, fail, forge, renew, undrop, unforge

PROVOKED, PUT_BACK = "demo.accident.provoked", "demo.accident.put_back"


@dataclass(frozen=True)
class Accident:
    """`answers` are the ledger's codes of the alarm that has to answer."""

    name: str
    label: str
    description: str
    answers: tuple[str, ...]
    provoke: Callable[[], Undo]
    put_back: Callable[[Undo], None] | None = None


ACCIDENTS = {
    accident.name: accident
    for accident in (
        Accident(
            "forge-row",
            "Forge a row",
            "One conversion gets another value in production. No hash covers it.",
            ("backups.incident.opened",),
            forge,
            unforge,
        ),
        Accident(
            "drop-column",
            "Drop a column",
            "subscriptions.updated_at goes from production without an operation.",
            ("migrations_registry.drift.found",),
            drop,
            undrop,
        ),
        Accident(
            "expire-key",
            "Expire the store's key",
            "The store of the backups refuses to be read and written.",
            ("backups.export.failed",),
            expire,
            renew,
        ),
        Accident(
            "fail-deploy",
            "Fail a deploy",
            "Somebody deploys from Render's dashboard and the build fails.",
            ("deployments.failed",),
            fail,
        ),
    )
}


def provoke(name: str, by: str) -> Accident:
    """Do it, and write it down in the same transaction. Raises Refused outside the demo and for unknown names."""
    accident = known(name)
    if accident.put_back and standing(accident):
        raise Refused(f"“{accident.label}” was provoked and not put back. Nothing was done; put it back first.")
    with transaction.atomic():
        undo = accident.provoke()
        record(PROVOKED, actor=by, environment=ENVIRONMENT, subject=name, data={"label": accident.label, **undo})
    return accident


def put_back(name: str, by: str) -> Accident:
    """Undo the newest accident of this name. Raises Refused when there is none."""
    accident = known(name)
    entry = standing(accident)
    if accident.put_back is None or entry is None:
        raise Refused(f"“{accident.label}” needs no putting back. Nothing was done.")
    with transaction.atomic():
        accident.put_back({key: str(value) for key, value in entry.payload.items()})
        record(PUT_BACK, actor=by, environment=ENVIRONMENT, subject=name, data={"label": accident.label})
    return accident


def known(name: str) -> Accident:
    if not settings.DEMO:
        raise Refused("Accidents are provoked in the demo only (DEMO=1). Nothing was done.")
    if name not in ACCIDENTS:
        raise Refused(f"There is no accident {name!r}. Nothing was done. Known: {', '.join(ACCIDENTS)}.")
    return ACCIDENTS[name]


def standing(accident: Accident) -> Entry | None:
    """The newest entry of this accident, if it was not put back since."""
    entries = Entry.objects.filter(code__in=[PROVOKED, PUT_BACK], subject=accident.name)
    newest = entries.order_by("-sequence").first()
    return newest if newest is not None and newest.code == PROVOKED else None
