"""What a run's page says beside "proven": whether history was altered since the last good run, both verdicts, holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.safestring import SafeString, mark_safe

from backups.models import Hold, Incident, Proof, Run
from backups.models.run import RunStatus
from operations.web import formatting


def marked(rows: QuerySet[Run]) -> QuerySet[Run]:
    """Adds `altered` (an incident that it shows is open) and `held`, each a subquery of the list's one query."""
    shown = Incident.seen_in.through.objects.filter(run_id=OuterRef("pk"), incident__status=Incident.Status.OPEN)
    held = Hold.objects.filter(run=OuterRef("pk"), released_at=None)
    return rows.annotate(altered=Exists(shown), held=Exists(held))


def badges(run: Run) -> SafeString:
    """Beside the proof's badge: a faithful copy may be a copy of altered data."""
    words = []
    if getattr(run, "altered", False):
        words.append(formatting.badge("altered", "bad"))
    if getattr(run, "held", False):
        words.append(formatting.badge("held", "run"))
    return mark_safe(" ".join(words))  # noqa: S308 - badges are escaped already


def context(run: Run, proofs: Sequence[Proof]) -> dict[str, Any]:
    """The newest proof's comparison, the incidents that this run shows, in two queries."""
    examined: dict[str, Any] = next((p.document["examined"] for p in proofs if p.document.get("examined")), {})
    shown = list(run.shows.defer("evidence").order_by("status", "-opened_at")[:20])
    run.altered = any(incident.status == Incident.Status.OPEN for incident in shown)  # type: ignore[attr-defined]
    holds = list(run.holds.filter(released_at=None))
    run.held = bool(holds)  # type: ignore[attr-defined]
    return {
        "beside": badges(run),
        "examined": examined,
        "verifier": examined.get("verifier") or {},
        "ours": _ours(run, examined, shown),
        "incidents": shown,
        "holds": holds,
    }


def _ours(run: Run, examined: dict[str, Any], shown: Sequence[Incident]) -> SafeString:
    if run.altered:  # type: ignore[attr-defined]
        return formatting.badge("altered", "bad")
    if run.status in (RunStatus.RUNNING, RunStatus.STORED, RunStatus.FAILED) or not examined:
        return formatting.badge("not known", "idle")
    if examined.get("not_compared"):
        return formatting.badge("not compared", "warn")
    if not examined.get("baseline"):
        return formatting.badge("first run", "idle")
    return formatting.badge("explained", "idle") if shown else formatting.badge("unaltered", "ok")
