"""Around a copy: in which store it goes, and what the run's row says of it afterwards. In: a run. Out: row fields."""

from __future__ import annotations

import time
from datetime import datetime

from django.urls import reverse
from django.utils import timezone

from backups import stores
from backups.manifest import Manifest
from backups.models import Run
from operations.engine.context import StepContext
from operations.notify import enqueue


def placed(ctx: StepContext, run: Run) -> Run:
    """The store that is ready: the run's own, or the policy's other one while that is away."""
    url, away = stores.ready_place(run)
    if url != run.store_url:
        ctx.log(f"Storing in {url} for now. {away}")
        warning = f"Its own store was away, so it was stored in the policy's other one. {away}"
        Run.objects.filter(pk=run.pk).update(store_url=url, warnings=[warning])
        run.refresh_from_db(fields=["store_url", "warnings"])
    return run


def stored_fields(manifest: Manifest, began: float) -> dict[str, object]:
    return {
        "fence": manifest.fence,
        "manifest_sha256": manifest.sha256,
        "system_identifier": manifest.source.system_identifier,
        "timeline": manifest.source.timeline or None,
        "snapshot_at": datetime.fromisoformat(manifest.source.taken_at),
        "stored_at": timezone.now(),
        "tables": [table.qualified for table in manifest.tables],
        "rows": manifest.rows,
        "raw_bytes": manifest.raw_bytes,
        "stored_bytes": manifest.stored_bytes,
        "copy_seconds": round(time.monotonic() - began, 2),
    }


def said(warnings: list[str]) -> dict[str, object]:
    return {"warnings": warnings} if warnings else {}


def tell(run: Run, note: str) -> None:
    path = reverse("admin:backups_run_change", args=[run.pk])
    enqueue(
        f"backups.timeline:{run.pk}", subject=f"The database of {run.policy} changed its timeline", body=note, path=path
    )
