"""The filtered timeline as a stream of CSV or JSON, in constant memory; the export is itself an entry.

In: filters and who asks. Out: an iterator of text. CSV cells that a spreadsheet would run as formulas get an apostrophe
(OWASP ASVS 1.2.10); the JSON has every value as it was hashed.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC

from ledger.models import Entry
from ledger.registry import sentence_for
from ledger.services import record
from ledger.timeline import Filters

COLUMNS = (
    *("sequence", "at", "sentence", "actor", "code", "environment", "subject", "channel", "os_user", "host"),
    *("data", "seeded", "previous_sha256", "sha256"),
)
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")  # owasp.org, "CSV Injection"
_CHUNK = 2_000


class _Echo:
    """A file that hands back what is written to it (Django documentation, "Streaming large CSV files")."""

    def write(self, value: str) -> str:
        return value


def start(filters: Filters, kind: str, *, actor: str) -> Iterator[str]:
    """Record the export, then stream what was there before it; `kind` is csv or json."""
    entry = record("ledger.exported", actor=actor, data={"format": kind, "filters": filters.as_dict()})
    rows = filters.entries().filter(sequence__lt=entry.sequence).iterator(chunk_size=_CHUNK)
    return _csv(rows) if kind == "csv" else _json(rows)


def row(entry: Entry) -> dict[str, object]:
    values = {name: getattr(entry, name) for name in COLUMNS if name not in ("at", "sentence")}
    at = entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {"sequence": entry.sequence, "at": at, "sentence": sentence_for(entry), **values}


def safe_cell(value: object) -> object:
    """Text that a spreadsheet cannot take for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _csv(entries: Iterator[Entry]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for entry in entries:
        values = row(entry)
        yield writer.writerow([safe_cell(values[name]) for name in COLUMNS])


def _json(entries: Iterator[Entry]) -> Iterator[str]:
    separator = "[\n"
    for entry in entries:
        yield separator + json.dumps(row(entry), ensure_ascii=False)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"
