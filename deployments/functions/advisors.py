"""Advisors' findings as rows: opened when first said, resolved when two answers lack them, opened when said again.

A finding that a person ignored stays ignored while the advisor says it; gone and back, it is asked about again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from deployments.models import AdvisorFinding
from ledger.services import record
from operations.accounts import SYSTEM
from operations.models import Environment
from operations.periodic.clock import database_time
from operations.periodic.gone import unlisted
from operations.supabase_projects import ref_of
from providers.errors import Refused
from providers.supabase import Lint, Supabase

Status = AdvisorFinding.Status
SAID = ("name", "title", "level", "detail", "remediation", "cache_key", "last_seen_at")
AGAIN = ("status", "resolved_at", "reason", "ignored_by")


@dataclass(frozen=True)
class FindingCounts:
    opened: int
    resolved: int


def sync(api: Supabase, environment: Environment) -> FindingCounts:
    """Ask both advisors and store what they say. Raises ProviderError; then nothing counts as resolved."""
    ref = ref_of(environment)
    lints = [("security", lint) for lint in api.advisors.security(ref)]
    lints += [("performance", lint) for lint in api.advisors.performance(ref)]
    return _store_findings(environment, lints)


@transaction.atomic
def _store_findings(environment: Environment, lints: list[tuple[str, Lint]]) -> FindingCounts:
    now = database_time()
    rows = {(row.advisor, row.cache_key): row for row in AdvisorFinding.objects.filter(environment=environment)}
    opened = []
    for (advisor, key), lint in {(advisor, lint.cache_key[:500]): lint for advisor, lint in lints}.items():
        row = rows.pop((advisor, key), None)
        if row is None or row.status == Status.RESOLVED:
            opened.append(lint)
        _store_finding(row or AdvisorFinding(environment=environment, advisor=advisor, first_seen_at=now), lint)
    standing = AdvisorFinding.objects.filter(environment=environment).exclude(status=Status.RESOLVED)
    said = standing.exclude(pk__in=[row.pk for row in rows.values()]).values_list("pk", flat=True)
    gone = unlisted(standing, list(said), may_be_empty=True)
    AdvisorFinding.objects.filter(pk__in=[row.pk for row in gone]).update(status=Status.RESOLVED, resolved_at=now)
    if opened or gone:
        record(
            "deployments.findings_changed",
            actor=SYSTEM,
            environment=environment.slug,
            subject=environment.slug,
            data={
                "opened": sorted({entry.name for entry in opened}),
                "resolved": sorted({row.name for row in gone}),
            },
        )
    return FindingCounts(len(opened), len(gone))


def _store_finding(row: AdvisorFinding, lint: Lint) -> None:
    """What the advisor says; a person may have ignored it meanwhile, so the rest is left as it is."""
    again = row.status == Status.RESOLVED
    if again:
        row.status, row.resolved_at, row.reason, row.ignored_by = Status.OPEN, None, "", ""
    row.name, row.title, row.level = lint.name[:200], lint.title[:300], lint.level.upper()[:12]
    row.detail, row.remediation, row.cache_key = lint.detail, lint.remediation[:500], lint.cache_key[:500]
    row.last_seen_at = database_time()
    row.save(update_fields=[*SAID, *(AGAIN if again else ())] if row.pk else None)


@transaction.atomic
def ignore(finding: AdvisorFinding, by: str, reason: str) -> None:
    """Take an open finding off the list with a reason. Raises Refused."""
    if len(reason.strip()) < 10:
        raise Refused("Say in at least 10 characters why it may be ignored; the finding stays open.")
    fields = {"status": Status.IGNORED, "ignored_by": by, "ignored_at": database_time(), "reason": reason.strip()[:500]}
    _advance(finding, Status.OPEN, fields, "deployments.finding_ignored", by)


@transaction.atomic
def reopen(finding: AdvisorFinding, by: str) -> None:
    """Take an ignored finding back onto the list. Raises Refused."""
    fields = {"status": Status.OPEN, "ignored_by": "", "ignored_at": None, "reason": ""}
    _advance(finding, Status.IGNORED, fields, "deployments.finding_reopened", by)


def _advance(finding: AdvisorFinding, source: str, fields: Mapping[str, object], code: str, by: str) -> None:
    if not AdvisorFinding.objects.filter(pk=finding.pk, status=source).update(**fields):
        raise Refused(f"The finding is not {source} any more. Nothing was changed; look at it again.")
    record(
        code,
        actor=by,
        environment=finding.environment.slug,
        subject=finding.name,
        data={"finding": finding.name, "detail": finding.detail[:300], "reason": fields["reason"]},
    )


def open_errors(environment: Environment | None = None) -> int:
    """How many security findings of level ERROR are open."""
    rows = AdvisorFinding.objects.filter(advisor="security", level="ERROR", status=Status.OPEN)
    return (rows.filter(environment=environment) if environment else rows).count()
