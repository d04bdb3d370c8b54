"""The periodic job that keeps second stores complete: what one missed while it was away is copied afterwards."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from backups import keyring
from backups.manifest import Manifest
from backups.mirror import mirror
from backups.models import Run
from backups.reading import load
from backups.sealing import ManifestError
from backups.stores import other_url
from ledger.services import record
from operations.notify import alarm
from providers.errors import ProviderError, Refused
from providers.storage.factory import open_store

logger = logging.getLogger("backups.second_store")
LOOK_BACK = timedelta(days=30)
AT_ONCE = 5


def catch_up() -> int:
    """Copy the newest proven runs that are not in their second store yet; answers how many are complete now."""
    missing = Run.objects.counting().filter(mirrored_at=None, retired_at=None, proven_at__gt=timezone.now() - LOOK_BACK)
    runs = missing.exclude(policy__second_store_env="").select_related("policy__environment").order_by("-proven_at")
    return sum(_copy(run) for run in runs[:AT_ONCE])


def _copy(run: Run) -> bool:
    first = other_url(run) == settings.BACKUP_STORE
    name = f"{'first' if first else 'second'} store of {run.policy}"
    try:
        copied = _mirror(run)
    except (ProviderError, Refused, ManifestError) as error:
        logger.warning("%s: %s", name, error)
        alarm(name, True, subject=f"The {name} misses run {run.pk}", body=str(error), daily=True)
        return False
    Run.objects.filter(pk=run.pk).update(mirrored_at=timezone.now())
    record(
        "backups.run.mirrored",
        actor="system",
        environment=run.policy.environment.slug,
        subject=run.pk,
        data={"objects": copied, "policy": run.policy.name},
    )
    alarm(name, False, subject=f"The {name} is complete")
    return True


def _mirror(run: Run) -> int:
    variable, url = run.policy.second_store_env, other_url(run)
    if not url:
        raise Refused(f"{variable} is not set here, so run {run.pk} lies in one store only. Set it to a store URL.")
    source = open_store(run.store_url)
    manifest: Manifest = load(source, run.pk, keyring.verifier())
    return mirror(manifest, source, open_store(url))
