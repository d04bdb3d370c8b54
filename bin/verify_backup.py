#!/usr/bin/env python3
"""Verify Sampelit Ops backups offline: python verify_backup.py DIR --public-key FILE [--plain DIR] [--period YYYY-MM]

DIR is a copy of a backup store. Needs Python 3.11, `cryptography` and `zstandard`, and nothing of the portal.
Checks signatures, manifest digests and the SHA-256 of every stored object; with --plain (segments opened by `age -d`,
same paths without .age) or for runs that are not encrypted also the COPY streams and every hash chain in CSV segments.
Exit code 0: all is well. 1: something is not, and every reason is printed.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import zstandard
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "sampelit-ops-run/1"
FIELD = re.compile(r'(?:"((?:[^"]|"")*)")?(,|\n)')


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read_public_keys(path: Path) -> list[Ed25519PublicKey]:
    """PEM, or lines of base64 or hex; several keys (retired ones) may stand in one file. Raises ValueError."""
    text = path.read_text()
    if "-----BEGIN" in text:
        blocks = ["-----BEGIN" + part for part in text.split("-----BEGIN")[1:]]
        keys = [serialization.load_pem_public_key(block.encode()) for block in blocks]
    else:
        raws = [bytes.fromhex(line) if len(line) == 64 else base64.b64decode(line) for line in text.split()]
        keys = [Ed25519PublicKey.from_public_bytes(raw) for raw in raws]
    if not keys or not all(isinstance(key, Ed25519PublicKey) for key in keys):
        raise ValueError("no Ed25519 public key in it")
    return [key for key in keys if isinstance(key, Ed25519PublicKey)]


def signed_by(keys: list[Ed25519PublicKey], data: bytes, signature: str) -> bool:
    for key in keys:
        try:
            key.verify(base64.b64decode(signature), data)
        except (InvalidSignature, ValueError):
            continue
        return True
    return False


def unsealed(data: bytes, keys: list[Ed25519PublicKey]) -> tuple[dict[str, Any] | None, str]:
    """The signed body, or None and the reason."""
    try:
        document = json.loads(data)
        body, digest, signature = document["body"], document["sha256"], document["signature"]
        whole = canonical(document) + b"\n" == data
    except (ValueError, KeyError, TypeError):
        return None, "is not readable as JSON of this format"
    if not whole or sha256(canonical(body)) != digest:
        return None, "was edited or damaged: its content does not give its own SHA-256"
    if signature is None:
        return None, "is not signed"
    if not signed_by(keys, canonical(body), str(signature.get("value", ""))):
        return None, "carries a signature that does not hold for the given key"
    return body, ""


class Run:
    """One run's checks; `problems` grows."""

    def __init__(self, root: Path, manifest: Path, plain: Path | None) -> None:
        self.root, self.plain, self.path = root, plain, manifest
        self.name = manifest.parent.name
        self.problems: list[str] = []
        self.purged = ""
        self.opened = self.encrypted = self.chains = 0

    def verify(self, keys: list[Ed25519PublicKey]) -> dict[str, Any] | None:
        body, reason = unsealed(self.path.read_bytes(), keys)
        if body is None:
            self.problems.append(f"its manifest {reason}")
            return None
        if body.get("format") != FORMAT:
            self.problems.append(f"its format is {body.get('format')!r}, this verifier knows {FORMAT!r}")
            return None
        if body.get("run") != self.name:
            self.problems.append(f"its manifest belongs to run {body.get('run')}: it was replayed or moved")
            return None
        self.purged = self._purged(body, keys)
        for table in [] if self.purged else body["tables"]:
            self._table(table)
        return body

    def _purged(self, body: dict[str, Any], keys: list[Ed25519PublicKey]) -> str:
        """When retention deleted the data, by its own signed note about this very manifest; else empty."""
        path = self.path.with_name("purged.json")
        if not path.is_file():
            return ""
        note, reason = unsealed(path.read_bytes(), keys)
        if note is None or (note.get("run"), note.get("manifest_sha256")) != (self.name, sha256(canonical(body))):
            self.problems.append(f"its purged.json {reason or 'speaks of another run'}")
            return ""
        return str(note["at"])

    def _table(self, table: dict[str, Any]) -> None:
        streams = [stream for segment in table["segments"] if (stream := self._segment(segment)) is not None]
        complete = len(streams) == len(table["segments"])
        if table["chains"] is not None and table["format"] == "csv" and complete:
            self._chains(table, streams)

    def _segment(self, segment: dict[str, Any]) -> bytes | None:
        """Check the stored object; answer the COPY stream where it can be opened and is what the manifest says."""
        data = self._stored(segment)
        if data is None:
            return None
        if segment["encrypted"]:
            self.encrypted += 1
            data = self._plain(segment)
            if data is None:
                return None
        try:
            raw = zstandard.ZstdDecompressor().stream_reader(data).read()
        except zstandard.ZstdError as error:
            self.problems.append(f"{segment['key']} cannot be decompressed: {error}")
            return None
        if len(raw) != segment["raw_bytes"] or sha256(raw) != segment["raw_sha256"]:
            self.problems.append(f"{segment['key']} holds another COPY stream than the manifest says")
            return None
        self.opened += 1
        return raw

    def _stored(self, segment: dict[str, Any]) -> bytes | None:
        path = inside(self.root, segment["key"])
        if path is None or not path.is_file():
            self.problems.append(f"{segment['key']} is missing")
            return None
        data = path.read_bytes()
        if len(data) != segment["stored_bytes"] or sha256(data) != segment["stored_sha256"]:
            self.problems.append(f"{segment['key']} was altered: its SHA-256 is not the manifest's")
            return None
        return data

    def _plain(self, segment: dict[str, Any]) -> bytes | None:
        if self.plain is None:
            return None
        path = inside(self.plain, segment["key"].removesuffix(".age"))
        if path is None or not path.is_file():
            self.problems.append(f"{segment['key']} was not found opened under --plain")
            return None
        return path.read_bytes()

    def _chains(self, table: dict[str, Any], streams: list[bytes]) -> None:
        """Recompute every decision_hash, follow every link in sequence order, compare the heads with the manifest."""
        names = [column["name"] for column in table["columns"]]
        rows: dict[str, list[dict[str, str | None]]] = {}
        for stream in streams:
            for row in copy_rows(stream, names):
                rows.setdefault(str(row["experiment_id"]), []).append(row)
        heads = {head["chain"]: head for head in table["chains"]}
        for chain in sorted(set(rows) | set(heads)):
            problem = broken(rows.get(chain, []), heads.get(chain))
            self.chains += 1
            if problem:
                self.problems.append(f"chain {chain}: {problem}")


def inside(root: Path, key: str) -> Path | None:
    """A path under the root; None for a key that would leave it."""
    path = (root / key).resolve()
    return path if path.is_relative_to(root.resolve()) else None


def copy_rows(stream: bytes, names: list[str]) -> Iterator[dict[str, str | None]]:
    """Rows of a COPY CSV stream with FORCE_QUOTE *: an unquoted empty field is NULL, a quoted one is empty text."""
    text = stream.decode("utf-8")
    values: list[str | None] = []
    for match in FIELD.finditer(text, text.find("\n") + 1):
        values.append(None if match[1] is None else match[1].replace('""', '"'))
        if match[2] == "\n":
            yield dict(zip(names, values, strict=True))
            values = []


def isoformat(text: str) -> str:
    """Postgres's timestamptz in UTC as Python's isoformat() writes it."""
    return datetime.fromisoformat(text.replace(" ", "T")).astimezone(UTC).isoformat()


def decision_hash(row: dict[str, str | None]) -> str:
    preimage = {
        "visitor_id": row["visitor_id"],
        "variant_id": row["selected_variant_id"] or None,
        "segment_key": row["segment_key"],
        "timestamp": isoformat(str(row["decision_timestamp"])),
        "previous_hash": row["previous_hash"] or "",
        "sequence_number": int(str(row["sequence_number"])),
    }
    return sha256(json.dumps(preimage, sort_keys=True).encode())


def broken(rows: list[dict[str, str | None]], head: dict[str, Any] | None) -> str:
    """Why a chain does not hold; empty when it does."""
    ordered = sorted(rows, key=lambda row: int(str(row["sequence_number"])))
    previous = ""
    for number, row in enumerate(ordered, 1):
        if int(str(row["sequence_number"])) != number:
            return f"row {number} is missing"
        if (row["previous_hash"] or "") != previous:
            return f"row {number} does not follow the row before"
        if decision_hash(row) != row["decision_hash"]:
            return f"row {number}'s content does not give its decision_hash"
        previous = str(row["decision_hash"])
    if head is None:
        return "the manifest does not know it"
    if (head["rows"], head["head"]) != (len(ordered), previous):
        return f"it has {len(ordered)} rows, the manifest says {head['rows']}, or its head differs"
    return ""


def verify_store(root: Path, keys: list[Ed25519PublicKey], plain: Path | None, period: str) -> int:
    """Print a line for each run; answer the number of problems."""
    count = found = 0
    seen: dict[str, str] = {}
    for path in sorted(root.glob("runs/*/manifest.json")):
        run = Run(root, path, plain)
        body = run.verify(keys)
        if body is not None:
            if period and not str(body["source"]["taken_at"]).startswith(period):
                continue
            seen[sha256(canonical(body))] = run.name
        found += 1
        count += len(run.problems)
        report(run, body)
    if not found:
        print(f"no runs{' in ' + period if period else ''} under {root}")
        return 1
    return count


def report(run: Run, body: dict[str, Any] | None) -> None:
    facts = ""
    if body is not None:
        segments = sum(len(table["segments"]) for table in body["tables"])
        facts = f" {body['source']['taken_at'][:19]} {body['policy']}: {segments} objects, {run.opened} opened"
        facts += f", {run.chains} chains" if run.chains else ""
        facts += f", {run.encrypted} encrypted" if run.encrypted else ""
        facts += f", data deleted by retention on {run.purged[:10]}" if run.purged else ""
    print(f"{'BAD ' if run.problems else 'ok  '}{run.name}{facts}")
    for problem in run.problems:
        print(f"    {problem}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--public-key", type=Path, required=True, metavar="FILE")
    parser.add_argument("--plain", type=Path, metavar="DIR")
    parser.add_argument("--period", default="", metavar="YYYY-MM")
    options = parser.parse_args()
    try:
        keys = read_public_keys(options.public_key)
    except (OSError, ValueError) as error:
        print(f"the public key cannot be used: {error}")
        return 1
    return 1 if verify_store(options.directory, keys, options.plain, options.period) else 0


if __name__ == "__main__":
    sys.exit(main())
