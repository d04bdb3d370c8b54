"""What a restore onto live tables would change: kept by a comparison, shown to the voters, held against the restore.

In: a run, or what `live.compare` found. Out: the report that a Restore row keeps, and sentences about it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet

from backups.models import Restore, Run
from operations.engine.specs import Block, Consequence, Fact
from operations.models import Operation
from operations.periodic.clock import database_time
from providers import postgres
from providers.counting import counted
from providers.errors import Refused

COMPARED_WITHIN = timedelta(hours=24)
Report = Mapping[str, Mapping[str, Any]]
COUNTS = ("added", "changed", "missing")
TEMPLATE = "admin/backups/restore/differences.html"


def comparison(run: Run, tables: str) -> Restore | None:
    """The newest comparison of this run with the live tables, if it is fresh."""
    comparisons = _comparisons(run, tables).filter(ended_at__gt=database_time() - COMPARED_WITHIN)
    return comparisons.select_related("operation").first()


def comparison_among(restores: Iterable[Restore], tables: str = "") -> Restore | None:
    """The same from restores of the run that were read already, with their operations."""
    comparisons = [
        (row.ended_at, row)
        for row in restores
        if (row.target, row.status) == ("compare", Restore.Status.SUCCEEDED)
        and row.ended_at is not None
        and str(row.operation.parameters.get("tables", "")) == tables
    ]
    at, newest = max(comparisons, key=lambda timed: timed[0], default=(None, None))
    return newest if at and at > database_time() - COMPARED_WITHIN else None


def approved(operation: Operation) -> Report:
    """The difference that was shown when this restore was asked for; the votes are bound to it."""
    run, tables = operation.parameters["run"], str(operation.parameters.get("tables", ""))
    comparison = _comparisons(run, tables).filter(ended_at__lte=operation.requested_at).first()
    return comparison.report if comparison else {}


def _comparisons(run: Run | str, tables: str) -> QuerySet[Restore]:
    rows = Restore.objects.filter(run=run, target="compare", status=Restore.Status.SUCCEEDED).order_by("-ended_at")
    named = Q(operation__parameters__tables=tables)
    return rows.filter(named if tables else named | ~Q(operation__parameters__has_key="tables"))


def document(difference: postgres.Difference) -> dict[str, Any]:
    """As a Restore row keeps it; `along` only where rows of other tables are concerned."""
    counts: dict[str, Any] = {"added": difference.added, "changed": difference.changed, "missing": difference.missing}
    return counts | ({"along": dict(difference.along)} if difference.along else {})


def along(report: Report) -> dict[str, int]:
    """Rows of tables outside the restore that go with what it removes."""
    total: Counter[str] = Counter()
    for counts in report.values():
        total.update(counts.get("along", {}))
    return dict(total)


def refuse_more_along(deleted: Mapping[str, int], seen: Report) -> None:
    """People approve how many rows of other tables go; raises Refused where it became more."""
    accepted = along(seen)
    more = [f"{name}: {count} rows" for name, count in sorted(deleted.items()) if count > accepted.get(name, 0)]
    if more:
        raise Refused(
            "Nothing was changed. Rows of tables that are not restored refer to rows that would be removed, and more "
            f"of them would go along than people approved: {', '.join(more)}. Compare again, then request it again."
        )


def lines(report: Report) -> list[Consequence]:
    """A sentence a table, the worst tone where rows would be lost."""
    consequences = [Consequence(f"{table}: {_counted(counts)}.", _tone(counts)) for table, counts in report.items()]
    for table, count in sorted(along(report).items()):
        text = f"{table} is not restored, but {count:,} of its rows are deleted, or lose their reference, with rows "
        consequences.append(Consequence(text + "that are removed. No run of this policy brings them back.", "bad"))
    return consequences


def shown(seen: Restore) -> list[Fact | Block]:
    """The same for whoever votes: what goes, what comes back, and each table with its rows."""
    total: Counter[str] = Counter()
    for counts in seen.report.values():
        total.update({name: counts[name] for name in COUNTS})
    lost = total["changed"] + total["missing"]
    answers = [
        Fact(
            "Will be lost",
            f"what is now in {counted(lost, 'row')}" if lost else "nothing",
            tone="bad" if lost else "ok",
        ),
        Fact("Comes back", f"{counted(total['added'], 'row')} now missing"),
        Fact("Can be undone", "yes: the present state is exported and proven first", tone="ok"),
    ]
    texts = tuple(line.text for line in lines(seen.report))
    return [*answers, Block("Differences, table by table", TEMPLATE, {"restore": seen}, texts)]


def _counted(counts: Mapping[str, Any]) -> str:
    if not any(counts.values()):
        return "nothing differs"
    back, over, gone = counts["added"], counts["changed"], counts["missing"]
    return (
        f"{back:,} {'row comes' if back == 1 else 'rows come'} back, {over:,} {_are(over)} overwritten, "
        f"{gone:,} {_are(gone)} removed"
    )


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _tone(counts: Mapping[str, Any]) -> str:
    if counts["missing"] or counts["changed"]:
        return "bad"
    return "warn" if counts["added"] else "ok"
