"""The rule of conversions: set once, then never changed. Pure.

Between any two runs a conversion must not vanish. That old ones kept their time and value is told by the digest that
each proof took of the conversions which its own earlier run had: so runs of one policy are compared with each other.
"""

from __future__ import annotations

from backups.evidence.facts import Month, RunFacts, TableFacts
from backups.evidence.periods import shown
from backups.evidence.places import added, count
from backups.evidence.tally import Tally
from backups.evidence.verdicts import Conversions, Seen


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
    kept = next((one for one in facts.conversions if (one.chain, one.month) == (now.chain, now.month)), None)
    if kept is None:
        tally.unclear.append(f"earlier conversions of {now.month} at {run.facts.taken_at}")
        return None
    return Seen(before) if (kept.rows, kept.sha256) != (was.conversions, was.conversions_sha256) else None
