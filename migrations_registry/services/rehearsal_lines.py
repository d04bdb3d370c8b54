"""A rehearsal as lines for those who decide: what it measured beside what the rules said, disagreements marked.

In: a Rehearsal. Out: (text, tone), the outcome first.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrations_registry.analysis.model import AX, SH, STRENGTH
from migrations_registry.models import Rehearsal

Line = tuple[str, str]
SHOWN = 10
BRIEF = 0.05  # seconds that nobody notices


def lines_of(row: Rehearsal) -> list[Line]:
    return [_outcome(row), *_undo(row), *_marked(row), *_warnings(row)]


def _outcome(row: Rehearsal) -> Line:
    copy = f"{row.run}{', its schema without rows' if row.schema_only else ''}"
    if row.status == Rehearsal.Status.FAILED:
        waived = f" {row.waived_by} waived that: {row.waiver}" if row.waived_by else " Nobody may vote for it."
        return f"Rehearsed on {copy}: it fails. {row.error}{waived}", "warn" if row.waived_by else "bad"
    if row.status == Rehearsal.Status.UNABLE:
        return f"Could not be rehearsed on {copy}: {row.error}", "warn"
    return f"Rehearsed on {copy}: it went through. {_waiting(row)}", "ok"


def _waiting(row: Rehearsal) -> str:
    who, seconds = _kept_away(row), row.report.get("blocked_seconds")
    if not who:
        return "Nobody would wait."
    if seconds is None:
        return f"{who}; for how long, it cannot tell: the copy holds no rows to measure by."
    told = "with the rows of today" if not row.schema_only else "by the sizes of today, as the copy holds no rows"
    return f"{who} for {f'about {seconds:g} s' if seconds >= BRIEF else 'a moment'}, {told}."


def _kept_away(row: Rehearsal) -> str:
    """Who waits for what; nothing where others read and write on."""
    locks = [lock.rsplit(": ", 1) for line in row.report.get("statements", ()) for lock in line["locks"]]
    unread = sorted({name for name, mode in locks if mode == AX})
    unwritten = sorted({name for name, mode in locks if STRENGTH[mode] >= STRENGTH[SH]} - set(unread))
    kinds = (("read or write", unread), ("write to", unwritten))
    said = " and ".join(f"nobody could {verb} {_names(names)}" for verb, names in kinds if names)
    return f"{said[:1].upper()}{said[1:]}"


def _names(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _undo(row: Rehearsal) -> Iterator[Line]:
    seen = row.report.get("undo")
    if not seen:
        return
    for note in seen["notes"]:
        yield f"Its undo was rehearsed: {note}", "bad"
    if seen["not_compared"]:
        yield f"Its undo was rehearsed, but {seen['not_compared']}.", "warn"
    elif not seen["notes"]:
        yield "Its undo was rehearsed: objects and rows came back as they were.", "ok"


def _marked(row: Rehearsal) -> Iterator[Line]:
    """Where the copy's server did otherwise than the rules say."""
    for effects in row.report.get("undeclared", {}).values():
        for effect in effects[:SHOWN]:
            yield f"Measured in the rehearsal, not foreseen by the rules: {effect['said']}.", "bad"
    for statement in row.report.get("statements", ()):
        for text in statement["disagreements"]:
            yield f"The rehearsal disagrees with the rules at line {statement['line']}: it {text}.", "warn"


def _warnings(row: Rehearsal) -> Iterator[Line]:
    if row.is_of_another_schema:
        yield f"The schema of {row.environment} may have changed since: rehearse it again.", "warn"
    for text in row.report.get("hazards", ()):
        yield text, "warn"
    if stood_in := row.report.get("stood_in"):
        yield (
            f"The copy has no platform beside it; without rows, and under another owner, stood in: {_names(stood_in)}. "
            "Whether the file may change those on the target was not rehearsed.",
            "warn",
        )
    if missing := row.report.get("missing"):
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        yield f"The copy was not whole: {missing[0]}{more}", "warn"
