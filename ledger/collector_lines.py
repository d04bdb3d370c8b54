"""How an entry reads at an outside collector, and what a kept line says about the ledger of today.

In: entries; lines that a collector kept, as JSON or inside syslog's envelope. Out: lines; the facts to compare.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from ledger.models import Entry

FIELDS = ("actor", "code", "environment", "subject", "channel", "os_user", "host", "data", "seeded")
PRIORITY = 13 * 8 + 5  # RFC 5424 6.2.1: facility "log audit", severity "notice"
_TOKEN = re.compile(r"[^!-~]")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Kept:
    """One line that a collector kept; `sha256` is what the entry's hash was when it was sent."""

    line: int
    sequence: int
    sha256: str


def as_json(entry: Entry) -> bytes:
    """Everything that the hash covers, so that a reader may recompute it."""
    at = entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    fields = {name: getattr(entry, name) for name in FIELDS}
    chain = {"previous_sha256": entry.previous_sha256, "sha256": entry.sha256}
    return json.dumps({"sequence": entry.sequence, "at": at, **fields, **chain}, ensure_ascii=False).encode()


def as_syslog(entry: Entry) -> bytes:
    """RFC 5424: header, structured data with number and hash, then the same JSON."""
    at = entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    host = _TOKEN.sub("-", entry.host)[:255] or "-"
    facts = f'[ledger@32473 sequence="{entry.sequence}" sha256="{entry.sha256}"]'
    header = f"<{PRIORITY}>1 {at} {host} sampelit-ops - {_TOKEN.sub('-', entry.code)[:32]} {facts} "
    return header.encode() + as_json(entry)


def kept(lines: Iterable[str]) -> Iterator[Kept]:
    """The entries of a collector's file. Raises ValueError with the number of a line that holds none."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _kept(number, line)


def _kept(number: int, line: str) -> Kept:
    try:
        entry: Any = json.loads(line[line.find("{") : line.rfind("}") + 1])
        sequence, sha256 = entry["sequence"], entry["sha256"]
    except (ValueError, TypeError, KeyError, RecursionError):
        sequence = sha256 = None
    if type(sequence) is not int or not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ValueError(f"line {number} holds no entry of the ledger")
    return Kept(number, sequence, sha256)
