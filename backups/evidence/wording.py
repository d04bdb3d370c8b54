"""The sentences of a report: its first one, one for each chain, and what nobody can tell. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from backups.evidence.report import RunLine, Watched
from backups.evidence.verdicts import ChainVerdict


def first_sentence(
    word: str,
    period: str,
    chains: Sequence[ChainVerdict],
    watched: Watched,
    proven: Sequence[RunLine],
    unseen: Sequence[str],
) -> str:
    """The verdict on everything, in one sentence."""
    if not proven:
        return (
            f"Nothing can be said about {period}: no proven run was made since it began, so nobody knows what "
            "the audit trail held."
        )
    decisions = sum(chain.decisions for chain in chains)
    parts = [_head(word, period, chains, decisions, unseen), _recomputed(proven)]
    parts += [_conversions(chains), _removed(chains), _watched(watched)]
    parts.append("what was written and removed between two proven runs cannot be known")
    return "; ".join(part for part in parts if part) + "."


def _head(word: str, period: str, chains: Sequence[ChainVerdict], decisions: int, unseen: Sequence[str]) -> str:
    what = f"{len(chains)} chain{'s' * (len(chains) != 1)} with {decisions:,} decisions of {period}"
    if not chains:
        return f"No decision of {period} was found"
    if word == "altered":
        bad = [chain.chain for chain in chains if chain.word == "altered"]
        return f"ALTERED: {len(bad)} of {what} ({', '.join(bad[:3])}{' and more' if len(bad) > 3 else ''})"
    if word == "unknown":
        bad = [chain.chain for chain in chains if chain.word == "unknown"]
        if not bad:
            return f"NOT KNOWN for the whole period ({what}): {', '.join(unseen)}"
        return f"NOT KNOWN for {len(bad)} of {what} whether they are as they were"
    return f"INTACT: {what}" if len(chains) == 1 else f"INTACT: all {what}"


def _recomputed(proven: Sequence[RunLine]) -> str:
    if len(proven) == 1:
        at = day(proven[0].taken_at)
        return f"every hash was recomputed in the one proven run, of {at} UTC; there is no other to compare it with"
    runs = f"{len(proven)} proven runs from {day(proven[0].taken_at)} to {day(proven[-1].taken_at)}"
    return f"every hash was recomputed and the hashed columns compared in {runs} UTC"


def _conversions(chains: Sequence[ChainVerdict]) -> str:
    first = sum(month.count for chain in chains for month in chain.set_conversions)
    changed = sum(1 for chain in chains for change in chain.changes if change.kind == "conversion")
    sentence = f"{first:,} conversion{'s were' if first != 1 else ' was'} set after their decision was first seen"
    return f"{sentence}, and set ones were CHANGED {times(changed)}" if changed else f"{sentence} and none was changed"


def _removed(chains: Sequence[ChainVerdict]) -> str:
    gone = sum(chain.removed for chain in chains)
    return f"{gone:,} row{'s were' if gone > 1 else ' was'} REMOVED" if gone else "no row was removed"


def _watched(watched: Watched) -> str:
    if watched.gaps:
        worst = max(gap.seconds for gap in watched.gaps)
        return f"the database was unwatched {times(len(watched.gaps))}, for up to {span(worst)}"
    return f"it was watched without a gap, at most {span(watched.longest_seconds)} between two proven runs"


def chain_sentence(chain: ChainVerdict) -> str:
    """The verdict on one chain."""
    if not chain.runs:
        return "In no proven run."
    span_of = f"{chain.runs} proven runs, {day(chain.first_at)} to {day(chain.last_at)} UTC"
    runs = span_of if chain.runs > 1 else f"the proven run of {day(chain.first_at)} UTC"
    parts = [f"{chain.decisions:,} decisions, {chain.conversions:,} converted; each hash recomputed in {runs}"]
    if chain.changes:
        parts += [f"{day(change.before_at)} to {day(change.after_at)}: {change.detail}" for change in chain.changes[:6]]
    else:
        same = "hashed columns equal in all of them" if chain.runs > 1 else "no other to compare it with"
        parts.append(same if chain.word == "intact" else "no difference seen")
    first = sum(month.count for month in chain.set_conversions)
    parts += [f"{first:,} conversions set once"] if first else []
    parts += [f"{chain.late_rows:,} decisions written after their month had ended"] if chain.late_rows else []
    parts += [f"not compared: {', '.join(chain.not_compared[:3])}"] if chain.not_compared else []
    return "; ".join(parts) + "."


def cannot_be_known(
    months: Sequence[str], whole_months: bool, watched: Watched, runs: Sequence[RunLine], first_ever: str
) -> tuple[str, ...]:
    """What no report can say, and what this one cannot."""
    unknown = [
        "Rows that were written and removed again between two proven runs, and values that were changed and changed "
        f"back, leave no trace here; the longest time between two of them was {span(watched.longest_seconds)}.",
        "A decision or a conversion that was forged when it was first written looks like a real one.",
        "A decision that the product never wrote down has no row; assignments without a row are incidents.",
        "Columns that no hash covers are compared row by row at each proof; what differed is an incident.",
    ]
    if first_ever and first_ever > watched.start:
        unknown.append(f"Before {day(first_ever)} UTC there was no proven run: what it found is taken as it was.")
    if not watched.to_the_end:
        unknown.append("No proven run was made at the end of the period: later decisions of it are not in this report.")
    if not whole_months:
        unknown.append(
            f"Facts are kept by calendar month (UTC); the chains are judged for {', '.join(months)} as a whole."
        )
    without = [run for run in runs if not run.facts]
    if without:
        unknown.append(f"{len(without)} runs carry no facts about their chains; they were made before facts were kept.")
    return tuple(unknown)


def times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def day(text: str) -> str:
    """2026-03-01 03:15."""
    return text[:16].replace("T", " ")


def span(seconds: int) -> str:
    """5 min, 1 h 4 min, 3 d 2 h."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days >= 2:
        return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"
    if hours:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"
