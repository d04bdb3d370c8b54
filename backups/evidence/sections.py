"""A report as titled sections of sentences and tables: the one form that the HTML is drawn from. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backups.evidence.periods import shown
from backups.evidence.report import Report
from backups.evidence.wording import chain_sentence, day, span

MOST_RUNS = 60
Row = tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """`head` names the columns of `rows`; a row's first cell may be a verdict's word."""

    title: str
    paragraphs: tuple[str, ...] = ()
    head: Row = ()
    rows: tuple[Row, ...] = ()


def sections(report: Report) -> list[Section]:
    return [each for make in MAKERS for each in make(report)]


def title(report: Report) -> str:
    return f"Evidence: {report.environment}, {day(report.period_from)[:10]} to {day(report.period_to)[:10]}"


def _chains(report: Report) -> Iterator[Section]:
    rows = tuple((one.word, one.chain, chain_sentence(one)) for one in report.chains)
    yield Section(
        "Verdict on each chain",
        () if rows else ("No chain has decisions in this period.",),
        ("Verdict", "Chain", "What was found"),
        rows,
    )


def _changes(report: Report) -> Iterator[Section]:
    rows = tuple(
        (day(change.after_at), one.chain, change.kind, change.detail, f"{change.before} → {change.after}")
        for one in report.chains
        for change in one.changes
    )
    if rows:
        yield Section("What must never happen", (), ("Seen at", "Chain", "Kind", "What", "Runs"), rows)


def _conversions(report: Report) -> Iterator[Section]:
    rows = tuple(
        (
            one.chain,
            each.month,
            str(each.count),
            shown(each.sequences or ()),
            f"{day(each.before_at)} to {day(each.after_at)}",
        )
        for one in report.chains
        for each in one.set_conversions
    )
    if rows:
        yield Section(
            "Conversions set after their decision was first seen",
            ("Each was set once, which is legal. Numbers are sequence numbers of the chain.",),
            ("Chain", "Month", "How many", "Numbers", "Between"),
            rows,
        )


def _watched(report: Report) -> Iterator[Section]:
    seen = report.watched
    said = (
        f"From {day(seen.start)} to {day(seen.end)} UTC, at most {span(seen.longest_seconds)} passed between two "
        f"proven runs; the schedule allows {span(seen.allowed_seconds)}.",
    )
    rows = tuple((day(gap.start), day(gap.end), span(gap.seconds)) for gap in seen.gaps)
    head = ("From", "To", "Without a proven run")
    yield Section("Unwatched gaps", said if rows else (*said, "There was none."), head, rows)


def _unknown(report: Report) -> Iterator[Section]:
    yield Section("What cannot be known", report.cannot_be_known)


def _slots(report: Report) -> Iterator[Section]:
    rows = tuple(
        (one.policy, one.schedule, *(str(n) for n in (one.proven, one.late, one.failed, one.missed, one.open)))
        for one in report.slots
    )
    head = ("Policy", "Schedule", "Proven", "Late", "Failed", "Missed", "Open")
    yield Section("Slots", () if rows else ("No slot fell into this period.",), head, rows)
    bad = tuple((day(one.at), one.what, one.why or "–") for one in report.troubles)
    if bad:
        yield Section("Slots and proofs that were not good", (), ("When", "What", "Why"), bad)


def _recovery(report: Report) -> Iterator[Section]:
    got = report.recovery
    rpo = f"RPO: {span(got.longest_between_seconds)} at worst between two proven runs, "
    rto = f"RTO: {got.proven} of {got.proofs} proofs proved; each restored the whole run, in "
    yield Section(
        "Recovery achieved",
        (
            f"{rpo}{span(got.allowed_between_seconds)} allowed by the schedule.",
            f"{rto}{span(got.median_restore_seconds)} by the median, {span(got.longest_restore_seconds)} at worst.",
        ),
    )


def _protection(report: Report) -> Iterator[Section]:
    got = report.protection
    until = f", until {day(got.locked_until)} UTC at the latest" if got.locked_until else ""
    told = (
        f"{got.locked} of {got.locked + got.unlocked} runs are under Object Lock{until}.",
        f"Retention deleted the data of {got.purged} of them; manifests, facts and proofs are kept and were read.",
    )
    yield Section("Locks and holds", told, ("Legal holds that stand",), tuple((hold,) for hold in got.holds))


def _restores(report: Report) -> Iterator[Section]:
    rows = tuple(
        (day(one.at), one.what, one.status, one.requested_by, ", ".join(one.approved_by) or "nobody", one.reason or "–")
        for one in report.restores
    )
    yield Section(
        "Restores",
        () if rows else ("None was requested in this period.",),
        ("Requested", "What", "End", "By", "Approved by", "Reason"),
        rows,
    )


def _incidents(report: Report) -> Iterator[Section]:
    rows = tuple(
        (
            day(one.at),
            one.what,
            one.status,
            f"{one.resolved_by} {day(one.resolved_at)}".strip() or "–",
            one.reason or "–",
        )
        for one in report.incidents
    )
    head = ("Opened", "What", "Status", "Resolved", "Reason")
    yield Section("Incidents", () if rows else ("None was open in this period.",), head, rows)


def _runs(report: Report) -> Iterator[Section]:
    said = f"{len(report.runs)} runs; their manifests were read from the store and are what this portal wrote down."
    listed = report.runs if len(report.runs) <= MOST_RUNS else [*report.runs[:30], *report.runs[-30:]]
    more = () if len(report.runs) <= MOST_RUNS else ("The first and the last 30 are listed; the JSON has all.",)
    rows = tuple((one.run, one.policy, day(one.taken_at), one.status, one.manifest_sha256) for one in listed)
    yield Section(
        "Runs that this rests on", (said, *more), ("Run", "Policy", "Snapshot", "Status", "Manifest SHA-256"), rows
    )


MAKERS = (
    _chains,
    _changes,
    _conversions,
    _watched,
    _unknown,
    _slots,
    _recovery,
    _protection,
    _restores,
    _incidents,
    _runs,
)
