"""Sends every entry to an outside collector: in order, at least once, from where the last confirmed batch ended.

In: OPS_LEDGER_COLLECTOR. Out: lines there, the place reached in `Stream`, `state()` for doctor and metrics. Whoever
rewrites the ledger here cannot rewrite it there: the last confirmed entry is compared before each batch.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from itertools import pairwise

from django.conf import settings
from django.db import transaction

from ledger.collector_lines import Kept, as_json, as_syslog
from ledger.models import Entry, Head, Stream, database_time
from providers import collector
from providers.errors import ProviderError, Refused

logger = logging.getLogger("ledger.stream")
BATCH = 200
ROUND_SECONDS = 20.0
LONGEST_PAUSE = 30  # seconds between two tries, so that whatever comes back is up to date within a minute
REWRITTEN = "entry {} is not the one that the collector has: the ledger was rewritten"


@dataclass(frozen=True)
class State:
    """How far the collector is behind; `problem` says why, if anything is wrong."""

    behind_entries: int
    behind_seconds: float
    problem: str


def send_due() -> int:
    """Send what the collector lacks, for some seconds at most; how many entries it took. Outages are only noted."""
    if not settings.OPS_LEDGER_COLLECTOR:
        return 0
    with transaction.atomic():
        stream = Stream.objects.select_for_update(skip_locked=True).filter(address=_address()).first()
        if stream is None:
            Stream.objects.get_or_create(address=_address())
            return 0
        if stream.next_try_at and stream.next_try_at > database_time():
            return 0
        return _round(stream)


def _address() -> str:
    """The collector by a digest: another one gets the whole ledger, and an address may hold a name that is nobody's."""
    return sha256(settings.OPS_LEDGER_COLLECTOR.encode()).hexdigest()


def _round(stream: Stream) -> int:
    begun, sent = time.monotonic(), 0
    try:
        door = collector.at(
            settings.OPS_LEDGER_COLLECTOR, settings.OPS_LEDGER_COLLECTOR_TOKEN, settings.OPS_LEDGER_COLLECTOR_CA
        )
        write = as_json if door.scheme.startswith("http") else as_syslog
        while time.monotonic() - begun < ROUND_SECONDS:
            _same_as_there(stream)
            batch = list(Entry.objects.filter(sequence__gt=stream.sequence).order_by("sequence")[:BATCH])
            if not batch:
                break
            door.deliver([write(entry) for entry in batch])
            stream.sequence, stream.sha256, sent = batch[-1].sequence, batch[-1].sha256, sent + len(batch)
        stream.failures, stream.error, stream.next_try_at = 0, "", None
    except (ProviderError, Refused) as error:
        stream.failures, stream.error = stream.failures + 1, str(error)
        pause = min(LONGEST_PAUSE, 2 ** min(stream.failures, 10))
        stream.next_try_at = database_time() + timedelta(seconds=pause)
        logger.warning("the ledger's collector is behind: %s", error)
    stream.looked_at = database_time()
    stream.save()
    return sent


def _same_as_there(stream: Stream) -> None:
    """Raise Refused where the entry that was confirmed last is another one now, or gone."""
    if stream.sequence and not Entry.objects.filter(sequence=stream.sequence, sha256=stream.sha256).exists():
        raise Refused(f"{REWRITTEN.format(stream.sequence)}. Nothing more is sent; compare: ops ledger compare FILE.")


def state() -> State | None:
    """None where no collector is set."""
    if not settings.OPS_LEDGER_COLLECTOR:
        return None
    stream = Stream.objects.filter(address=_address()).first() or Stream()
    head = Head.objects.filter(pk=1).first() or Head()
    oldest = Entry.objects.filter(sequence__gt=stream.sequence, seeded=False).order_by("sequence").first()
    waits = (database_time() - oldest.at).total_seconds() if oldest else 0.0
    return State(head.sequence - stream.sequence, max(0.0, waits), stream.error)


def compare(lines: list[Kept]) -> list[str]:
    """What a collector's lines and the ledger of now do not agree about, a sentence each."""
    problems, seen = [], dict[int, str]()
    now = _hashes({line.sequence for line in lines})
    for line in lines:
        if seen.setdefault(line.sequence, line.sha256) != line.sha256:
            problems.append(f"line {line.line}: the collector was sent two entries {line.sequence}")
        elif line.sequence not in now:
            problems.append(f"line {line.line}: entry {line.sequence} is gone from the ledger")
        elif now[line.sequence] != line.sha256:
            problems.append(f"line {line.line}: entry {line.sequence} is another one in the ledger now")
    return problems + _gaps(sorted(seen))


def _hashes(sequences: set[int]) -> dict[int, str]:
    ordered, known = sorted(sequences), dict[int, str]()
    for start in range(0, len(ordered), 10_000):
        rows = Entry.objects.filter(sequence__in=ordered[start : start + 10_000])
        known |= dict(rows.values_list("sequence", "sha256"))
    return known


def _gaps(sequences: list[int]) -> list[str]:
    """A collector's file has every entry between its first and its last."""
    pairs = pairwise(sequences)
    return [f"the file lacks entries {left + 1} to {right - 1}" for left, right in pairs if right > left + 1]
