"""Altered audit data for pages and browsers: an open incident with its rows, a resolved one, a hold, days of slots.

In: the rows of `factories_apps.backups`. Out: incidents and holds of the audit trail of production.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from backups.incidents import holds
from backups.incidents import service as incidents_service
from backups.models import Policy, Proof, Run, Slot
from ledger.services import record

DECISION = {
    "visitor_id": "v_35cc4955611dc480",
    "segment_key": "new",
    "conversion_observed": "true",
    "conversion_timestamp": "2026-11-20 08:14:02.118+00",
    "conversion_value": "49.90",
    "sequence_number": "214",
}
CHAIN = "0f4a2c58-7b1e-4c39-9a55-1d2f3e4b5a69"
VERIFIER = {"chains": 12, "rows": 20412, "invalid": 0, "problem": ""}


def _incidents_of(run: Run) -> None:
    changed = {**DECISION, "conversion_value": "499.90"}
    rows = [
        {"id": CHAIN, "chain": CHAIN, "sequence": 214, "before": DECISION, "after": changed},
        {"id": CHAIN[::-1], "chain": CHAIN, "sequence": 215, "before": DECISION, "after": {}},
    ]
    evidence = {"rows": rows, "verify_audit_chain": VERIFIER}
    environment, about = run.policy.environment, "public.algorithm_audit_trail"
    for name, label in (("fail-deploy", "Fail a deploy"), ("forge-row", "Forge a row")):
        record("demo.accident.provoked", actor="admin", environment="production", subject=name, data={"label": label})
    opened = incidents_service.raise_incident(
        "conversion_changed",
        environment,
        run=run,
        baseline=run,
        subject=about,
        evidence=evidence,
        summary=f"{about}: 2 conversions changed after they were set.",
    )
    holds.place(run, "system", "The last good run before that.", opened)
    broken = {"id": "x", "chain": CHAIN, "sequence": 7, "problem": "number does not follow", "before": {}, "after": {}}
    old = incidents_service.raise_incident(
        "chain_broken",
        environment,
        run=run,
        subject=about,
        evidence=[broken],
        summary=f"{about}: 1 row breaks a hash chain when recomputed.",
    )
    incidents_service.resolve(old, "ada", "A row lost in the move of 2025; see ticket 118.")


def altered() -> None:
    """Everything, beside the proven run."""
    proven = Run.objects.filter(status="proven", policy__name="audit-trail", purging_at=None)
    run = proven.select_related("policy__environment", "operation").order_by("started_at").last()
    assert run is not None, "factories_apps.backups makes one"
    _incidents_of(run)
    examined = {"baseline": run.pk, "not_compared": "", "rows_loaded": 4100, "verifier": VERIFIER, "findings": []}
    for proof in Proof.objects.filter(run=run):
        proof.document["examined"] = examined
        proof.save(update_fields=["document"])
    policy = Policy.objects.get(pk=run.policy_id)
    Policy.objects.filter(pk=policy.pk).update(cron="15 3 * * *", rto_budget_seconds=900)
    now = timezone.now().replace(minute=15, second=0, microsecond=0)
    odd = {9: "failed", 30: "missed", 31: "late", 60: "failed", 100: "missed"}
    Slot.objects.bulk_create(
        Slot(policy=policy, at=now - timedelta(days=days), status=odd.get(days, "proven"), acknowledged_by="ada")
        for days in range(2, 170)
    )
