"""The verdict on one chain over a period: every proven run since, compared with the one before it. Pure.

In: facts of runs in the order of their snapshots. Out: what was equal, what changed, and what nobody can tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from backups.evidence.periods import month_end, shown
from backups.evidence.verdicts import ChainVerdict, Conversions, Seen, Tally
from backups.facts.model import Month, RunFacts, TableFacts
from backups.facts.sequence_ranges import added, count


def judge(
    table: str, months: frozenset[str], seen: Sequence[Seen], all_runs: Mapping[str, RunFacts]
) -> list[ChainVerdict]:
    """A verdict on each chain with decisions in these months. `all_runs` are facts by run, older ones included."""
    chains = sorted({month.chain for run in seen for month in _months(run, table) if month.month in months})
    return [_chain(table, chain, months, seen, all_runs) for chain in chains]


def _months(run: Seen, table: str) -> Iterable[Month]:
    facts = run.facts.table(table)
    return facts.months if facts else ()


def _chain(
    table: str, chain: str, months: frozenset[str], seen: Sequence[Seen], all_runs: Mapping[str, RunFacts]
) -> ChainVerdict:
    tally = Tally()
    state: dict[str, tuple[Month, Seen]] = {}
    last: Seen | None = None
    for run in seen:
        facts = run.facts.table(table)
        if facts is None:
            continue
        before = len(tally.changes)
        tally.late += sum(_came_late(facts, chain, month, last) for month in sorted(months - state.keys()))
        last = run
        for month in sorted(months):
            _compare(tally, chain, month, facts, run, state, all_runs)
        if len(tally.changes) == before:
            _ends(tally, chain, months, facts, run, all_runs)
    return _verdict(table, chain, months, [run for run in seen if run.proven], tally)


def _came_late(facts: TableFacts, chain: str, month: str, last: Seen | None) -> int:
    """Rows of a chain that the run before had nothing of in this month, though the month was over."""
    now = facts.month(chain, month)
    return now.rows if now and last and last.at >= month_end(month) else 0


def _compare(
    tally: Tally,
    chain: str,
    month: str,
    facts: TableFacts,
    run: Seen,
    state: dict[str, tuple[Month, Seen]],
    all_runs: Mapping[str, RunFacts],
) -> None:
    now, earlier = facts.month(chain, month), state.get(month)
    if earlier is not None:
        was, when = earlier
        if now is None or now.rows < was.rows:
            gone = was.rows - (now.rows if now else 0)
            tally.change("removed", gone, when, run, f"{gone} of {was.rows} decisions of {month} are gone")
        elif now.rows == was.rows and now.decisions_sha256 != was.decisions_sha256:
            tally.change("edited", 0, when, run, f"decisions of {month} are not what they were")
        elif now.rows > was.rows and when.at >= month_end(month):
            tally.late += now.rows - was.rows
    if now is None:
        state.pop(month, None)
        return
    compare(tally, now, facts, run, earlier, previous(run, all_runs))
    state[month] = (now, run)


def previous(run: Seen, all_runs: Mapping[str, RunFacts]) -> RunFacts | None:
    """The facts about the run that this one was compared with at its proof."""
    facts = all_runs.get(run.facts.previous)
    return facts if facts and facts.manifest_sha256 == run.facts.previous_sha256 else None


def _ends(
    tally: Tally, chain: str, months: frozenset[str], facts: TableFacts, run: Seen, all_runs: Mapping[str, RunFacts]
) -> None:
    """Where the chain ended in the run before, the same hash must stand now; a month that grew is held by that."""
    if not run.facts.previous:
        return
    before = previous(run, all_runs)
    was = before.table(facts.table) if before else None
    if before is None or was is None:
        tally.unclear.append(f"the run at {run.facts.taken_at}: there are no facts about the one before it")
        return
    end = was.head(chain)
    if end is None or end.month not in months:
        return
    now_there = next((now for now in facts.ends if (now.chain, now.last) == (chain, end.last)), None)
    if now_there is None:
        tally.unclear.append(f"the run at {run.facts.taken_at} was not compared with the one before it")
    elif (now_there.rows, now_there.head) != (was.rows(chain), end.head):
        gone = max(was.rows(chain) - now_there.rows, 0)
        kind, detail = ("removed", "are gone") if gone else ("edited", "are not what they were")
        tally.change(kind, gone, Seen(before), run, f"decisions up to number {end.last} {detail}")


def _verdict(table: str, chain: str, months: frozenset[str], proven: Sequence[Seen], tally: Tally) -> ChainVerdict:
    having = [(run, rows) for run in proven if (rows := _of(run, table, chain, months))]
    newest = having[-1][1] if having else []
    word = "altered" if tally.changes else "intact" if having and not tally.unclear else "unknown"
    first, last = (having[0][0].facts, having[-1][0].facts) if having else (None, None)
    return ChainVerdict(
        table=table,
        chain=chain,
        word=word,
        decisions=sum(month.rows for month in newest),
        conversions=sum(month.conversions for month in newest),
        runs=len(having),
        first_run=first.run if first else "",
        first_at=first.taken_at if first else "",
        last_run=last.run if last else "",
        last_at=last.taken_at if last else "",
        decisions_sha256=tuple((month.month, month.decisions_sha256) for month in newest),
        changes=tuple(tally.changes),
        set_conversions=tuple(tally.conversions),
        late_rows=tally.late,
        not_compared=tuple(dict.fromkeys(tally.unclear)),
    )


def _of(run: Seen, table: str, chain: str, months: frozenset[str]) -> list[Month]:
    return [month for month in _months(run, table) if month.chain == chain and month.month in months]


def compare(
    tally: Tally, now: Month, facts: TableFacts, run: Seen, earlier: tuple[Month, Seen] | None, before: RunFacts | None
) -> None:
    """One month of one run with the run before it in time (`earlier`) and the one it was proven against (`before`)."""
    same = earlier is not None and earlier[0].conversions_sha256 == now.conversions_sha256
    known = tally.known.get(now.month)
    places = known if same and known is not None else now.converted
    if places is None:
        if earlier and not same:
            tally.unclear.append(f"conversions of {now.month} at {run.facts.taken_at}: too many to list")
        return
    new, gone = (added(known, places), added(places, known)) if known is not None else ([], [])
    if gone and earlier:
        detail = f"conversions of {now.month} were taken back: {shown(gone)}"
        tally.change("conversion", count(gone), earlier[1], run, detail)
    elif (changed := _changed(now, facts, run, earlier, before, tally)) is not None:
        detail = f"conversions of {now.month} were changed after they were set"
        tally.change("conversion", 0, changed, run, detail)
    if new and earlier:
        at = earlier[1].facts.taken_at
        tally.conversions.append(Conversions(now.month, count(new), tuple(new), at, run.facts.taken_at))
    tally.known[now.month] = places


def _changed(
    now: Month,
    facts: TableFacts,
    run: Seen,
    earlier: tuple[Month, Seen] | None,
    before: RunFacts | None,
    tally: Tally,
) -> Seen | None:
    """The run since which a conversion is another; None where none is."""
    if earlier and earlier[0].conversions_sha256 != now.conversions_sha256 and earlier[0].converted == now.converted:
        return earlier[1]
    table = before.table(facts.table) if before else None
    was = table.month(now.chain, now.month) if table else None
    if before is None or was is None or not was.conversions or was.conversions_sha256 == now.conversions_sha256:
        return None
    kept = next((later for later in facts.conversions if (later.chain, later.month) == (now.chain, now.month)), None)
    if kept is None:
        tally.unclear.append(f"earlier conversions of {now.month} at {run.facts.taken_at}")
        return None
    return Seen(before) if (kept.rows, kept.sha256) != (was.conversions, was.conversions_sha256) else None
