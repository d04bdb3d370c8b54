"""One run on one page: what is stored, what the proof found, what can be done with it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from backups.models import Run, Segment
from backups.models.run import RunStatus
from backups.policies.outside import kept_by
from backups.restore.preview import comparison_among
from backups.retention.model import TOMBSTONE
from backups.web import altered, restore_page
from operations.authority import holds
from operations.periodic.clock import database_time
from operations.web import formatting, progress

SHOWN_SEGMENTS, RECENT_RESTORES = 200, 50


def stored_badge(run: Run) -> SafeString:
    """Whether a manifest lies in the store; says nothing about whether it can be restored."""
    if run.purging_at is not None:
        return formatting.badge("data deleted", "idle")
    if run.retired_at is not None:
        return formatting.badge("retired", "idle")
    if run.is_stored and run.policy.second_store_env and run.mirrored_at is None:
        return formatting.badge("stored in 1 of 2", "warn")
    if run.is_stored:
        return formatting.badge("stored", "idle")
    return formatting.badge("failed") if run.status == RunStatus.FAILED else formatting.badge("copying", "run")


def proven_badge(run: Run) -> SafeString:
    """Only a restore that compared equal is green; the demo's story never is."""
    if run.purging_at is not None:
        return formatting.badge(f"was {run.status}", "idle")
    if run.status == RunStatus.PROVEN:
        if run.operation.seeded:
            return formatting.badge("demo story", "idle")
        return formatting.badge(run.word)
    if run.status == RunStatus.STORED:
        if not run.proof_overdue:
            return formatting.badge("proving", "run")
        return formatting.badge("not proven" if run.ended_at else "proof overdue", "bad")
    if run.status == RunStatus.RUNNING or not run.is_stored:
        return formatting.badge("not proven", "idle")
    return formatting.badge(run.status)


def find(pk: str) -> Run:
    run = Run.objects.select_related("policy__environment", "operation__requested_by").filter(pk=pk).first()
    if run is None:
        raise Http404
    return run


def context(request: HttpRequest, pk: str) -> dict[str, Any]:
    run = find(pk)
    segments = list(Segment.objects.filter(run=run))
    proofs = list(run.proofs.all()[:10])
    restores = list(run.restores.select_related("operation")[:RECENT_RESTORES])
    compared = comparison_among(restores)
    return {
        **altered.context(run, proofs),
        "title": f"Run of {run.policy}",
        "run": run,
        "stored": stored_badge(run),
        "proven": proven_badge(run),
        "tables": _tables(segments),
        "in_part": next((proof.document.get("tables_in_part", []) for proof in proofs), []),
        "outside": kept_by(run),
        "segments": segments[:SHOWN_SEGMENTS],
        "more_segments": len(segments) > SHOWN_SEGMENTS,
        "proofs": proofs,
        "restores": restores[:10],
        "progress": progress.shown(run.operation),
        "throughput": run.raw_bytes / run.copy_seconds if run.copy_seconds else None,
        "onto_live": restore_page.onto_live(request, run, compared) if run.is_stored else None,
        "compared": compared,
        "retirement": _retirement(run),
        "may_look": holds(request.user, "backups.view_run", run.policy.environment),
        "may_download": holds(request.user, "backups.download_run", run.policy.environment),
    }


@permission_required("backups.view_run", raise_exception=True)
def live(request: HttpRequest, pk: str) -> HttpResponse:
    """What refreshes while the run's operation is under way."""
    run = find(pk)
    context = {"run": run, "operation": run.operation, "progress": progress.shown(run.operation)}
    badges = {"stored": stored_badge(run), "proven": proven_badge(run)}
    return TemplateResponse(request, "admin/backups/run/live.html", {**context, **badges})


def _retirement(run: Run) -> str:
    """What retention did with this run, in a sentence."""
    if run.purging_at is not None:
        done = "deleted its data" if run.purged_at else "is deleting its data"
        return f"Retention {done} on {run.purging_at:%Y-%m-%d}. Its manifest, fingerprints, signature and proofs stay."
    if run.retired_at is not None:
        until = max(filter(None, [run.retired_at + TOMBSTONE, run.retained_until]))
        return (
            f"Retired on {run.retired_at:%Y-%m-%d} by {run.retired_by}; its data stays until {until:%Y-%m-%d} at least."
        )
    if run.retained_until and run.retained_until > database_time():
        return f"The store locks its objects until {run.retained_until:%Y-%m-%d %H:%M} UTC ({run.lock_mode.lower()})."
    return ""


def _tables(segments: list[Segment]) -> list[dict[str, Any]]:
    """Rows, bytes and segments of each table, from the segments the run stored."""
    tables: dict[str, dict[str, Any]] = {}
    for segment in segments:
        entry = tables.setdefault(
            segment.table, {"name": segment.table, "rows": 0, "raw": 0, "stored": 0, "segments": 0}
        )
        entry["rows"] += segment.rows
        entry["raw"] += segment.raw_bytes
        entry["stored"] += segment.stored_bytes
        entry["segments"] += 1
    return sorted(tables.values(), key=lambda entry: -entry["stored"])
