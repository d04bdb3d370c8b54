"""Reading what a report rests on: manifests and facts from the store, every byte checked; the rest from the portal.

In: an environment and a period. Out: runs with their facts, in the order of their snapshots. Raises Refused when one
kept manifest or one paper of facts is not what was written: then no report is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from backups.archive import keys
from backups.archive.signed_json import ManifestError
from backups.evidence.report import RunLine
from backups.evidence.verdicts import Seen
from backups.facts import store as facts_store
from backups.facts.model import RunFacts
from backups.models import Proof, Run
from backups.models.run import RunStatus
from backups.stores.trusted_manifest import Rejected, store_of, trusted_manifest
from operations.models import Environment
from providers.errors import Refused

READERS = 8


@dataclass(frozen=True)
class Material:
    """`runs` begins with the last one before the period, for comparison only; `seen` are those since."""

    runs: tuple[tuple[Run, RunFacts | None], ...]
    start: datetime

    @property
    def since(self) -> list[tuple[Run, RunFacts | None]]:
        return [(run, facts) for run, facts in self.runs if run.snapshot_at and run.snapshot_at >= self.start]

    @property
    def seen(self) -> list[Seen]:
        return [Seen(facts, run.status == RunStatus.PROVEN) for run, facts in self.since if facts]

    @property
    def by_run(self) -> dict[str, RunFacts]:
        return {run.pk: facts for run, facts in self.runs if facts}

    @property
    def proven_at(self) -> list[datetime]:
        """Snapshots of proven runs, the one before the period included."""
        return [run.snapshot_at for run, _ in self.runs if run.status == RunStatus.PROVEN and run.snapshot_at]

    @property
    def lines(self) -> list[RunLine]:
        return [
            RunLine(
                run.pk,
                run.policy.name,
                facts.taken_at if facts else moment_of(run),
                run.status,
                run.manifest_sha256,
                facts is not None,
            )
            for run, facts in self.since
        ]


def moment_of(run: Run) -> str:
    return run.snapshot_at.isoformat() if run.snapshot_at else ""


def material(environment: Environment, start: datetime, months: frozenset[str]) -> Material:
    """Every restorable or purged run since `start`, checked, and the newest proven one before it for each policy."""
    rows = Run.objects.filter(policy__environment=environment, operation__seeded=False, snapshot_at__isnull=False)
    rows = rows.filter(status__in=[RunStatus.PROVEN, RunStatus.SUSPECT]).select_related("policy__environment")
    since = list(rows.filter(snapshot_at__gte=start))
    wanted = {run.policy_id for run in since}
    before = [
        rows.filter(policy=policy, snapshot_at__lt=start, status=RunStatus.PROVEN).order_by("-snapshot_at").first()
        for policy in wanted
    ]
    chosen = sorted([run for run in before if run] + since, key=lambda run: (run.snapshot_at, run.pk))
    return Material(tuple(zip(chosen, _read_all(chosen, months), strict=True)), start)


def _read_all(runs: Sequence[Run], months: frozenset[str]) -> list[RunFacts | None]:
    proofs = Proof.objects.filter(run__in=[run.pk for run in runs]).exclude(evidence={}).order_by("-created_at")
    expected = {run: str(evidence.get("sha256", "")) for run, evidence in proofs.values_list("run_id", "evidence")}
    with ThreadPoolExecutor(READERS, thread_name_prefix="evidence") as pool:
        papers = pool.map(read, runs, [expected.get(run.pk, "") for run in runs])
        return [facts.about(months) if facts else None for facts in papers]


def read(run: Run, expected: str = "") -> RunFacts | None:
    """One run's facts, its manifest checked first; `expected` is the SHA-256 that its proof remembers.

    Raises Refused; a store that does not answer raises StoreError."""
    store = store_of(run)
    try:
        return facts_store.read(store, trusted_manifest(run, store), keys.verifier(), expected)
    except (Rejected, ManifestError) as error:
        reason = error.message if isinstance(error, Rejected) else f"The facts about {run} were rejected: {error}."
        raise Refused(f"{reason} No report was made: look into this first.") from None
