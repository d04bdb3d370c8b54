"""Which kept bundles are still needed, and letting the others go: their bytes, never their row.

In: bundles, the versions that ran them, operations not ended. Out: why each stays; emptied rows, a ledger entry each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db import transaction

from deployments.models import FunctionBundle, FunctionVersion
from ledger.services import record
from operations.accounts import SYSTEM
from operations.models import Operation
from operations.models.operation import TERMINAL
from operations.periodic.clock import database_time
from operations.periodic.isolation import one_by_one

NEWEST, DAYS = 5, 90
AT_ONCE = 200


@dataclass(frozen=True)
class Use:
    """A version that ran a bundle: how many newer ones its function had, and when the next one replaced it."""

    newer: int
    replaced_at: datetime | None


@dataclass(frozen=True)
class BundleRetention:
    """`reasons` are why the bundle stays; without any its bytes may go."""

    bundle: FunctionBundle
    reasons: tuple[str, ...]


def why(kept_at: datetime, uses: Iterable[Use], asked: bool, now: datetime) -> tuple[str, ...]:
    """Pure. What runs, the newest versions, what ran or was kept lately, and what an operation asks for, stays."""
    used, limit = list(uses), now - timedelta(days=DAYS)
    checks = [
        (any(use.newer == 0 for use in used), "the newest version of its function"),
        (any(0 < use.newer < NEWEST for use in used), f"among the {NEWEST} newest versions"),
        (any(use.replaced_at is not None and use.replaced_at > limit for use in used), f"ran in the last {DAYS} days"),
        (kept_at > limit, f"kept less than {DAYS} days ago"),
        (asked, "an operation that has not ended is about its function"),
    ]
    return tuple(text for holds, text in checks if holds)


def assess_bundles(now: datetime | None = None, **only: object) -> list[BundleRetention]:
    """Every bundle that still has its bytes, oldest first, and why it stays; `only` narrows them."""
    rows = list(FunctionBundle.objects.filter(removed_at=None, **only).defer("content").order_by("kept_at", "pk"))
    uses, asked = _uses({row.slug for row in rows}), _asked()
    return [
        BundleRetention(row, why(row.kept_at, uses.get(row.pk, ()), row.slug in asked, now or database_time()))
        for row in rows
    ]


def _uses(slugs: set[str]) -> dict[int, list[Use]]:
    uses: dict[int, list[Use]] = {}
    rows = FunctionVersion.objects.filter(function__slug__in=slugs).order_by("function", "-version")
    facts = rows.values_list("function", "bundle", "source", "live_at")
    for _, versions in groupby(facts, key=lambda fact: fact[0]):
        replaced: datetime | None = None
        for newer, (_, bundle, source, live_at) in enumerate(versions):
            for pk in {bundle, source} - {None}:
                uses.setdefault(pk, []).append(Use(newer, replaced))
            replaced = live_at
    return uses


def _asked() -> set[str]:
    """Functions that an operation deploys or puts back, or is about to."""
    open_ones = Operation.objects.filter(kind__startswith="deployments.function_").exclude(status__in=TERMINAL)
    return {str(given.get("function", "")) for given in open_ones.values_list("parameters", flat=True)}


def remove_expired(now: datetime | None = None) -> list[FunctionBundle]:
    """Empty what nothing keeps, each in a transaction of its own with its entry; decided again under the row's lock."""

    @transaction.atomic
    def remove(row: FunctionBundle) -> FunctionBundle | None:
        FunctionBundle.objects.select_for_update().defer("content").get(pk=row.pk)
        if not any(not again.reasons for again in assess_bundles(now, pk=row.pk)):
            return None
        _empty(row)
        return row

    unkept = [item.bundle for item in assess_bundles(now) if not item.reasons]
    return [row for row in one_by_one(unkept[:AT_ONCE], remove) if row is not None]


def _empty(row: FunctionBundle) -> None:
    FunctionBundle.objects.filter(pk=row.pk).update(content=b"", removed_at=database_time())
    record(
        "deployments.bundle_removed",
        actor=SYSTEM,
        subject=row.slug,
        data={
            "function": row.slug,
            "sha256": row.sha256,
            "kind": row.kind,
            "bytes": row.size_bytes,
            "kept_at": row.kept_at.isoformat(timespec="seconds"),
        },
    )
