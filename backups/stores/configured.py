"""Which stores are in use here, and what each could do when last probed. In: settings, policies. Out: reports."""

from __future__ import annotations

import os
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from backups.models import Policy, Run, StoreReport
from ledger.services import record
from operations.accounts import SYSTEM
from operations.periodic.clock import database_time
from operations.periodic.isolation import one_by_one
from providers.errors import ProviderError, Refused
from providers.storage.base import parse
from providers.storage.factory import open_store
from providers.storage.finding import StoreFinding
from providers.storage.probe import probe, ready

EVERY = timedelta(days=1)


def known() -> dict[str, str]:
    """Store URL to what it is for; a variable without a value is not here."""
    uses = {_shown(settings.BACKUP_STORE, "BACKUP_STORE"): "first store of every policy"}
    for policy in Policy.objects.exclude(second_store_env="").select_related("environment"):
        url = os.environ.get(policy.second_store_env, "")
        if url:
            uses.setdefault(_shown(url, policy.second_store_env), f"second store of {policy}")
    return uses


def _shown(url: str, variable: str) -> str:
    """What is no store URL may be a secret under a wrong name: then the variable's name stands for it."""
    try:
        parse(url)
    except Refused:
        return variable
    return url


def second_url(policy: Policy) -> str:
    """The policy's second store; empty where it has none or its variable is not set here."""
    return os.environ.get(policy.second_store_env, "") if policy.second_store_env else ""


def other_url(run: Run) -> str:
    """The one of the policy's two stores that the run does not lie in; empty where there is no second."""
    second = second_url(run.policy)
    return settings.BACKUP_STORE if second and run.store_url == second else second


def ready_place(run: Run) -> tuple[str, str]:
    """Where a run can be stored now, and why not in its own store. Raises what its own store said if none is ready."""
    own = run.store_url or settings.BACKUP_STORE
    away: ProviderError | Refused | None = None
    for url in filter(None, dict.fromkeys([own, settings.BACKUP_STORE, second_url(run.policy)])):
        try:
            ready(open_store(url))
        except (ProviderError, Refused) as error:
            away = away or error
        else:
            return url, str(away or "")
    assert away is not None  # noqa: S101 - the own store was asked
    raise away


def look(url: str) -> list[StoreFinding]:
    """Probe one store; a URL that is none is a finding too."""
    try:
        return probe(open_store(url))
    except Refused as refusal:
        return [
            StoreFinding("store URL", "bad", refusal.reason, "Without a store there are no backups.", "Correct it.")
        ]


def report(url: str, actor: str = SYSTEM) -> StoreReport:
    """Probe and write down; the ledger hears only of a change between usable and not."""
    findings = look(url)
    usable = all(item.tone != "bad" for item in findings)
    with transaction.atomic():
        before = StoreReport.objects.filter(url=url).values_list("usable", flat=True).first()
        values = {"checked_at": database_time(), "usable": usable, "findings": [item.as_json() for item in findings]}
        row, _ = StoreReport.objects.update_or_create(url=url, defaults=values)
        if before is None or before != usable:
            bad = [item.name for item in findings if item.tone == "bad"]
            record("backups.store.probed", actor=actor, subject=url[:200], data={"usable": usable, "bad": bad})
    return row


def keep_reports() -> None:
    """The periodic job: each store once a day."""
    fresh = set(StoreReport.objects.filter(checked_at__gt=database_time() - EVERY).values_list("url", flat=True))
    one_by_one([url for url in known() if url not in fresh], report)
