"""Which stores are in use here, and what each could do when last probed. In: settings, policies. Out: reports."""

from __future__ import annotations

import logging
import os
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from backups.models import Policy, StoreReport
from ledger.services import record
from providers.errors import Refused
from providers.storage import open_store
from providers.storage_probe import Finding, probe

logger = logging.getLogger("backups.stores")
EVERY = timedelta(days=1)


def known() -> dict[str, str]:
    """Store URL to what it is for; a variable without a value is not here."""
    found = {settings.BACKUP_STORE: "first store of every policy"}
    for policy in Policy.objects.exclude(second_store_env="").select_related("environment"):
        url = os.environ.get(policy.second_store_env, "")
        if url:
            found.setdefault(url, f"second store of {policy}")
    return found


def look(url: str) -> list[Finding]:
    """Probe one store; a URL that is none is a finding too."""
    try:
        return probe(open_store(url))
    except Refused as refusal:
        return [Finding("store URL", "bad", refusal.reason, "Without a store there are no backups.", "Correct it.")]


def report(url: str, actor: str = "system") -> StoreReport:
    """Probe and write down; the ledger hears only of a change between usable and not."""
    findings = look(url)
    usable = all(item.tone != "bad" for item in findings)
    with transaction.atomic():
        before = StoreReport.objects.filter(url=url).values_list("usable", flat=True).first()
        values = {"checked_at": timezone.now(), "usable": usable, "findings": [item.as_json() for item in findings]}
        row, _ = StoreReport.objects.update_or_create(url=url, defaults=values)
        if before is None or before != usable:
            bad = [item.name for item in findings if item.tone == "bad"]
            record("backups.store.probed", actor=actor, subject=url[:200], data={"usable": usable, "bad": bad})
    return row


def keep_reports() -> None:
    """The periodic job: each store once a day."""
    fresh = set(StoreReport.objects.filter(checked_at__gt=timezone.now() - EVERY).values_list("url", flat=True))
    for url in known():
        if url not in fresh:
            report(url)
