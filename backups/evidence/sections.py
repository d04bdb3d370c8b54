"""A report as titled sections of sentences and tables: the one form that the HTML is drawn from. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backups.evidence.periods import shown
from backups.evidence.report import Report
from backups.evidence.wording import chain_sentence, day, span
from providers.counting import counted

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
    return [section for make in MAKERS for section in make(report)]


def title(report: Report) -> str:
    return f"Evidence: {report.environment}, {day(report.period_from)[:10]} to {day(report.period_to)[:10]}"


def _chains(report: Report) -> Iterator[Section]:
    rows = tuple((chain.word, chain.chain, chain_sentence(chain)) for chain in report.chains)
    yield Section(
        "Verdict on each chain",
        () if rows else ("No chain has decisions in this period.",),
        ("Verdict", "Chain", "What was found"),
        rows,
    )


def _changes(report: Report) -> Iterator[Section]:
    rows = tuple(
        (day(change.after_at), chain.chain, change.kind, change.detail, f"{change.before} → {change.after}")
        for chain in report.chains
        for change in chain.changes
    )
    if rows:
        yield Section("What must never happen", (), ("Seen at", "Chain", "Kind", "What", "Runs"), rows)


def _conversions(report: Report) -> Iterator[Section]:
    rows = tuple(
        (
            chain.chain,
            month.month,
            str(month.count),
            shown(month.sequences or ()),
            f"{day(month.before_at)} to {day(month.after_at)}",
        )
        for chain in report.chains
        for month in chain.set_conversions
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
    sentence = (
        f"From {day(seen.start)} to {day(seen.end)} UTC, at most {span(seen.longest_seconds)} passed between two "
        f"proven runs; the schedule allows {span(seen.allowed_seconds)}.",
    )
    rows = tuple((day(gap.start), day(gap.end), span(gap.seconds)) for gap in seen.gaps)
    head = ("From", "To", "Without a proven run")
    yield Section("Unwatched gaps", sentence if rows else (*sentence, "There was none."), head, rows)


def _unknown(report: Report) -> Iterator[Section]:
    yield Section("What cannot be known", report.cannot_be_known)


def _slots(report: Report) -> Iterator[Section]:
    rows = tuple(
        (slot.policy, slot.schedule, *(str(n) for n in (slot.proven, slot.late, slot.failed, slot.missed, slot.open)))
        for slot in report.slots
    )
    head = ("Policy", "Schedule", "Proven", "Late", "Failed", "Missed", "Open")
    yield Section("Slots", () if rows else ("No slot fell into this period.",), head, rows)
    bad = tuple((day(trouble.at), trouble.what, trouble.why or "–") for trouble in report.troubles)
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
    paragraphs = (
        f"{got.locked} of {got.locked + got.unlocked} runs are under Object Lock{until}.",
        f"Retention deleted the data of {got.purged} of them; manifests, facts and proofs are kept and were read.",
    )
    yield Section("Locks and holds", paragraphs, ("Legal holds that stand",), tuple((hold,) for hold in got.holds))


def _restores(report: Report) -> Iterator[Section]:
    rows = tuple(
        (
            day(restore.at),
            restore.what,
            restore.status,
            restore.requested_by,
            ", ".join(restore.approved_by) or "nobody",
            restore.reason or "–",
        )
        for restore in report.restores
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
            day(incident.at),
            incident.what,
            incident.status,
            f"{incident.resolved_by} {day(incident.resolved_at)}".strip() or "–",
            incident.reason or "–",
        )
        for incident in report.incidents
    )
    head = ("Opened", "What", "Status", "Resolved", "Reason")
    yield Section("Incidents", () if rows else ("None was open in this period.",), head, rows)


def _runs(report: Report) -> Iterator[Section]:
    known = counted(len(report.runs), "run")
    sentence = f"{known}; their manifests were read from the store and are what this portal wrote down."
    listed = report.runs if len(report.runs) <= MOST_RUNS else [*report.runs[:30], *report.runs[-30:]]
    more = () if len(report.runs) <= MOST_RUNS else ("The first and the last 30 are listed; the JSON has all.",)
    rows = tuple((run.run, run.policy, day(run.taken_at), run.status, run.manifest_sha256) for run in listed)
    yield Section(
        "Runs that this rests on", (sentence, *more), ("Run", "Policy", "Snapshot", "Status", "Manifest SHA-256"), rows
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
