#!/usr/bin/env python3
"""Verify Sampelit Ops backups offline: python verify_backup.py DIR --public-key FILE [--plain DIR] [--period YYYY-MM]

DIR is a copy of a backup store. Needs Python 3.11, `cryptography` and `zstandard`, and nothing of the portal.
Checks signatures, manifest digests and the SHA-256 of every stored object; with --plain (segments opened by `age -d`,
same paths without .age) or for runs that are not encrypted also the COPY streams and every hash chain in CSV segments.
With --period it first prints a verdict on each chain of that month (UTC), from the signed facts beside every run since;
that needs no data and goes on working after retention deleted it. Runs outside the month are read by their papers only.
Exit code 0: all is well. 1: something is not, and every reason is printed.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import zstandard
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FIELD = re.compile(r'(?:"((?:[^"]|"")*+)")?+([,\n])')
MARK = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
MOST_DEPTH = 64
HOWTO, MOST_BYTES = "HOW-TO-RESTORE.md", 1 << 20
EDITIONS = {  # of the instructions, by SHA-256
    "d4a57ac020ffb3d7fdfba3790333fe83bb19a3bffd542d92de4e17079fe687af",
    "ba75475559411e9a3819bdba55fd1ecaa88add1d331b9e3342903cc4a80bd40c",
    "809645f889b001326083a4a0820697de09abb6d1fb85915a9b8a719503df58a0",
}


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


def parsed(data: bytes) -> Any:
    """JSON of at most MOST_DEPTH levels: the parser calls itself for each. Raises ValueError."""
    text, level = data.decode(), 0
    for mark in MARK.finditer(text):
        level += (mark[0] in "[{") - (mark[0] in "]}")
        if level > MOST_DEPTH:
            raise ValueError(f"it nests deeper than {MOST_DEPTH}")
    return json.loads(text)


def unsealed(data: bytes, keys: list[Ed25519PublicKey]) -> tuple[dict[str, Any] | None, str]:
    """The signed body, or None and the reason."""
    try:
        document = parsed(data)
        body, digest, signature = document["body"], document["sha256"], document["signature"]
        whole = canonical(document) + b"\n" == data
    except (ValueError, KeyError, TypeError):
        return None, "is not readable as JSON of this format"
    if not whole or sha256(canonical(body)) != digest:
        return None, "was edited or damaged: its content does not give its own SHA-256"
    if not isinstance(signature, dict) or not isinstance(body, dict):
        return None, "is not signed"
    if not signed_by(keys, canonical(body), str(signature.get("value", ""))):
        return None, "carries a signature that does not hold for the given key"
    return body, ""


def paper_at(path: Path, keys: list[Ed25519PublicKey]) -> tuple[dict[str, Any] | None, str]:
    """The same of what lies beside a manifest; a link or a pipe is not read."""
    return (None, "is no file") if path.is_symlink() or not path.is_file() else unsealed(path.read_bytes(), keys)


def qualified(schema: str, name: str) -> str:
    """schema.name, a schema that has a dot in quotes: as `providers.postgres.schema.model` calls a table."""
    plain = "." not in schema and not schema.startswith('"')
    return f"{schema}.{name}" if plain else '"' + schema.replace('"', '""') + f'".{name}'


# What a manifest may look like: the same text as in the portal, which a test holds.
Shape = Any  # a check, a list of one shape, or the shapes of an object's fields
MOST_ITEMS, LONGEST_NAME, LONGEST_TEXT = 2_000_000, 4096, 64 << 20
PLACE = re.compile(r"\(\d{1,10},\d{1,5}\)")
TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d(?::?\d\d)?)?")
CHAIN_TABLE, CHAIN_COLUMNS = (
    "algorithm_audit_trail",
    {"experiment_id", "sequence_number", "previous_hash", "decision_hash"},
)


def name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_NAME and "\0" not in value


def text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT and "\0" not in value


def count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 63


def whole(value: Any) -> bool:
    return type(value) is int and -(1 << 63) <= value < 1 << 63


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def pattern(regex: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(regex, value) is not None


def one_of(*values: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in values


def none_or(shape: Shape) -> Callable[[Any], bool]:
    return lambda value: value is None or not misfit(value, shape)


KEY = pattern(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._/-]{0,900}")
HEX = pattern("[0-9a-f]{64}")
SEGMENT = {
    "key": KEY,
    "start": pattern(f"(?:{PLACE.pattern})?"),
    "end": pattern(f"(?:{PLACE.pattern})?"),
    "rows": count,
    "digest": pattern(r"-?\d{1,60}"),
    "raw_bytes": count,
    "raw_sha256": HEX,
    "stored_bytes": count,
    "stored_sha256": HEX,
    "encrypted": flag,
}
HEAD = {"chain": name, "rows": count, "first": whole, "last": whole, "head": name}
TABLE = {
    "schema": name,
    "name": name,
    "format": one_of("csv", "binary"),
    "named": flag,
    "columns": [{"name": name, "type": name, "hashed_as": one_of("value", "text", "output")}],
    "segments": [SEGMENT],
    "chains": none_or([HEAD]),
}
STATEMENT = {
    "phase": one_of("before", "after"),
    "kind": name,
    "name": name,
    "sql": text,
    "needed": flag,
    "table": name,
    "references": name,
}
FIRST = {
    "run": pattern("[0-9A-Za-z-]{1,64}"),
    "fence": count,
    "environment": name,
    "policy": name,
    "source": {
        **dict.fromkeys(["database", "role", "server_version", "system_identifier", "xmin", "xmax", "lsn"], name),
        "timeline": count,
        "taken_at": pattern(TIME.pattern),
    },
    "tables": [TABLE],
    "statements": [STATEMENT],
    "recipients": [name],
    "tool": name,
    "ledger_entries": count,
    "ledger_head": name,
    "previous_sha256": name,
    "format": name,
}
AROUND = dict.fromkeys(["collate", "ctype", "provider", "locale", "owner"], name)
SECOND = {
    **FIRST,
    "objects": [SEGMENT],
    "surroundings": {**AROUND, "collations": [name], "roles": [name]},
    "not_covered": [text],
}
SHAPES = {"sampelit-ops-run/1": FIRST, "sampelit-ops-run/2": SECOND}


def misfit(value: Any, shape: Shape, where: str = "") -> str:
    """The first field that is not of its kind; empty when all are."""
    if isinstance(shape, dict):
        if not isinstance(value, dict) or value.keys() != shape.keys():
            return f"{where[1:] or 'it'} has not the fields of its format"
        return next((said for field in shape if (said := misfit(value[field], shape[field], f"{where}.{field}"))), "")
    if isinstance(shape, list):
        if not isinstance(value, list) or len(value) > MOST_ITEMS:
            return f"{where[1:]} is no list"
        return next((said for item in value if (said := misfit(item, shape[0], where))), "")
    return "" if shape(value) else f"{where[1:]} is not of its kind"


def contradiction(body: dict[str, Any]) -> str:
    """What a manifest says in two places and not alike; empty when it agrees with itself."""
    tables, objects = body["tables"], body.get("objects", [])
    segments = [*objects, *(segment for table in tables for segment in table["segments"])]
    keys = [segment["key"] for segment in segments]
    prefix = f"runs/{body['run']}/{body['fence']}/"
    names = [(table["schema"], table["name"]) for table in tables]
    made = {item["table"] for item in body["statements"] if item["kind"] in ("table", "foreign_table")}
    said = [
        (len(set(keys)) < len(keys), "an object is named twice"),
        (any(not key.startswith(prefix) for key in keys), "an object lies outside the run's own place"),
        (
            any(item["encrypted"] != item["key"].endswith(".age") for item in segments),
            "an object's name and encryption",
        ),
        (any(item["encrypted"] != bool(body["recipients"]) for item in segments), "recipients and encryption"),
        (len(set(names)) < len(names), "a table is named twice"),
        (
            any(".".join(both) not in made and qualified(*both) not in made for both in names),
            "a table has no definition",
        ),
        ("objects" in body and not _has_schema(prefix, objects), "an object of the schema is missing"),
    ]
    return next((words for wrong, words in said if wrong), "") or next(
        (words for number, table in enumerate(tables) if (words := _of_table(f"{prefix}{number:03d}-", table))), ""
    )


def _has_schema(prefix: str, objects: list[dict[str, Any]]) -> bool:
    wanted = ("schema.dump", "schema.sql", "fingerprint")
    return all(any(item["key"].startswith(f"{prefix}{name}.") for item in objects) for name in wanted)


def _of_table(place: str, table: dict[str, Any]) -> str:
    """Its segments cover it once, from the first page on; its chains have as many rows as it."""
    qualified = f"{table['schema']}.{table['name']}"
    columns = [column["name"] for column in table["columns"]]
    parts = sorted(table["segments"], key=lambda part: [int(n) for n in re.findall(r"\d+", part["start"])])
    edges = ["(0,0)", *(part["end"] for part in parts)]
    chained = table["name"] == CHAIN_TABLE and set(columns) >= CHAIN_COLUMNS
    rows = sum(part["rows"] for part in parts)
    chains = table["chains"] or []
    untold = bool(parts) and all(part["digest"] == "0" for part in parts)  # a copy without evidence, for a benchmark
    endings = (".csv.zst", ".binary.zst") if table["format"] == "csv" else ".binary.zst"  # too long for CSV is binary
    strange = [part for part in parts if not part["key"].removesuffix(".age").endswith(endings)]
    said = [
        (len(set(columns)) < len(columns), "a column is named twice"),
        (bool(strange), "a segment of another format"),
        (any(not part["key"].startswith(place) for part in parts), "a segment of another table"),
        (bool(parts) and [*(part["start"] for part in parts), ""] != edges, "its segments do not cover it once"),
        (
            chained and table["chains"] is None and not untold,
            "its chains are missing",
        ),
        (len({head["chain"] for head in chains}) < len(chains), "a chain is named twice"),
        (table["chains"] is not None and sum(head["rows"] for head in chains) != rows, "rows of its chains"),
    ]
    return next((f"{qualified}: {words}" for wrong, words in said if wrong), "")


class Run:
    """One run's checks; `problems` grows."""

    def __init__(self, root: Path, manifest: Path, plain: Path | None) -> None:
        self.root, self.plain, self.path = root, plain, manifest
        self.name = manifest.parent.name
        self.problems: list[str] = []
        self.purged = ""
        self.said: list[str] = []
        self.unread: list[str] = []
        self.opened = self.encrypted = self.chains = 0

    def verify(self, keys: list[Ed25519PublicKey]) -> dict[str, Any] | None:
        body, reason = unsealed(self.path.read_bytes(), keys)
        if body is None:
            self.problems.append(f"its manifest {reason}")
            return None
        if str(body.get("format")) not in SHAPES:
            known = " and ".join(SHAPES)
            self.problems.append(f"its format is {str(body.get('format'))[:40]!r}, this verifier knows {known}")
            return None
        if problem := misfit(body, SHAPES[body["format"]]) or contradiction(body):
            self.problems.append(f"its manifest was not written by a portal: {problem}")
            return None
        if body.get("run") != self.name:
            self.problems.append(f"its manifest belongs to run {body.get('run')}: it was replayed or moved")
            return None
        self.purged = self._purged(body, keys)
        for item in [] if self.purged else body.get("objects", []):
            self._segment(item)
        for table in [] if self.purged else body["tables"]:
            self._table(table)
        self._papers(body, keys)
        self.said = [*self.unread, *body.get("not_covered", []), *self._not_checked(body, keys)]
        return body

    def _papers(self, body: dict[str, Any], keys: list[Ed25519PublicKey]) -> None:
        """Proofs and facts are signed by themselves; one that does not hold is found, what is not there is said."""
        proofs, mine = sorted(self.path.parent.glob("proof-*.json")), (self.name, sha256(canonical(body)))
        facts = self.path.with_name("evidence.json")
        for path in [*proofs, *([facts] if os.path.lexists(facts) else [])]:
            paper, reason = paper_at(path, keys)
            at = str((paper or {}).get("at", "")).translate(str.maketrans("", "", ":-."))
            if paper is None:
                self.problems.append(f"its {path.name} {reason}")
            elif (paper.get("run"), paper.get("manifest_sha256")) != mine:
                self.problems.append(f"its {path.name} speaks of another run or manifest: it was replayed or moved")
            elif path != facts and path.name != f"proof-{at}.json":
                self.problems.append(f"its {path.name} holds another proof than its name says")
        if not proofs:
            self.unread.append("No proof lies beside it: it is stored, and nothing says that it was restored.")
        elif not facts.is_file() and any(table["chains"] for table in body["tables"]):
            self.unread.append("No facts about its chains lie beside it (evidence.json).")
        if "objects" not in body:
            self.unread.append("Nobody signed its schema-before.sql and schema-after.sql: take them from the manifest.")

    def _not_checked(self, body: dict[str, Any], keys: list[Ed25519PublicKey]) -> list[str]:
        """What the newest proof of this very manifest could not rebuild or compare."""
        proofs = [paper_at(path, keys)[0] for path in self.path.parent.glob("proof-*.json")]
        ours = [proof for proof in proofs if proof and proof.get("manifest_sha256") == sha256(canonical(body))]
        newest = max(ours, key=lambda proof: str(proof.get("at")), default={})
        return [str(text) for text in newest.get("missing", [])]

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
        binary = any(re.search(r"\.binary\.zst(?:\.age)?$", segment["key"]) for segment in table["segments"])
        if table["chains"] is not None and binary:
            self.unread.append(f"Chains of {table['name']} were not recomputed: rows that are binary need PostgreSQL.")
        elif table["chains"] is not None and complete:
            try:
                self._chains(table, streams)
            except (ValueError, KeyError, TypeError) as error:
                self.problems.append(f"{table['name']}: its rows are not what COPY writes ({type(error).__name__})")

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
            reader = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True)
            raw = reader.read(segment["raw_bytes"] + 1)
        except (zstandard.ZstdError, MemoryError, OverflowError) as error:
            self.problems.append(f"{segment['key']} cannot be decompressed: {error}")
            return None
        if len(raw) != segment["raw_bytes"] or sha256(raw) != segment["raw_sha256"]:
            self.problems.append(f"{segment['key']} holds another COPY stream than the manifest says")
            return None
        self.opened += 1
        self._count(segment, raw)
        return raw

    def _count(self, segment: dict[str, Any], raw: bytes) -> None:
        """A binary stream says where each row ends; of a CSV stream with chains the rows are read anyway."""
        if re.search(r"\.binary\.zst(?:\.age)?$", segment["key"]):
            rows = binary_rows(raw)
            if rows != segment["rows"]:
                self.problems.append(f"{segment['key']} holds {rows} rows, the manifest says {segment['rows']}")

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
    try:
        path = (root / key).resolve()
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, links that lead in a circle
        return None
    return path if path.is_relative_to(root.resolve()) else None


def copy_rows(stream: bytes, names: list[str]) -> Iterator[dict[str, str | None]]:
    """Rows of a COPY CSV stream with FORCE_QUOTE *: an unquoted empty field is NULL, a quoted one is empty text.

    Raises ValueError where something else stands: each field is looked at once, from where the one before ended.
    """
    text = stream.decode("utf-8")
    values: list[str | None] = []
    position = text.find("\n") + 1
    while position < len(text):
        match = FIELD.match(text, position)
        if match is None:
            raise ValueError(f"no field of COPY's CSV at character {position}")
        position = match.end()
        values.append(None if match[1] is None else match[1].replace('""', '"'))
        if match[2] == "\n":
            yield dict(zip(names, values, strict=True))
            values = []


def binary_rows(stream: bytes) -> int:
    """Rows of a binary COPY stream; -1 where it is none (PostgreSQL 17, COPY, Binary Format)."""
    if not stream.startswith(b"PGCOPY\n\xff\r\n\0") or len(stream) < 21:
        return -1
    place, rows = 19 + int.from_bytes(stream[15:19]), 0
    while (fields := int.from_bytes(stream[place : place + 2], signed=True)) >= 0 and place + 2 <= len(stream):
        place += 2
        for _ in range(fields):
            place += 4 + max(int.from_bytes(stream[place : place + 4], signed=True), 0)
        rows += 1
    return rows if fields == -1 and place + 2 == len(stream) else -1


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


def howto_problem(path: Path) -> str:
    if not path.is_file():
        return f"{HOWTO} is not there"
    known = path.stat().st_size < MOST_BYTES and sha256(path.read_bytes()) in EDITIONS
    return "" if known else f"{HOWTO} is not what a portal wrote: do not follow it"


def verify_store(root: Path, keys: list[Ed25519PublicKey], plain: Path | None, period: str) -> int:
    """Print the month's verdicts and a line for each run; answer the number of problems."""
    paths = sorted(root.glob("runs/*/manifest.json"))
    count, judged = judge_period(paths, keys, period) if period else (0, False)
    checked = opened = encrypted = 0
    if problem := howto_problem(root / HOWTO):
        print(f"{'BAD ' if (root / HOWTO).is_file() else 'said: '}{problem}")
        count += (root / HOWTO).is_file()
    for path in paths:
        there = plain is not None and (plain / "runs" / path.parent.name).is_dir()
        run = Run(root, path, plain if there else None)  # a person opens the runs that matter, not all
        quick = unsealed(path.read_bytes(), keys)[0] if period else None
        if quick is not None and not str(quick["source"]["taken_at"]).startswith(period):
            continue
        body = run.verify(keys)
        checked += 1
        opened += there
        encrypted += run.encrypted
        count += len(run.problems)
        report(run, body)
    if not checked:
        print(
            f"no run was made in {period} itself"
            if judged
            else f"no runs{' in ' + period if period else ''} under {root}"
        )
    if plain is not None and encrypted and not opened:
        print(f"nothing of these runs lies opened under {plain} (expected {plain}/runs/<run>/…)")
        count += 1
    return count if checked or judged else 1


class Paper:
    """A run's manifest, its newest proof and the facts about its chains, each signed; without any data."""

    def __init__(self, path: Path, keys: list[Ed25519PublicKey]) -> None:
        self.name, self.problem = path.parent.name, ""
        self.facts: dict[str, Any] | None = None
        self.body, reason = unsealed(path.read_bytes(), keys)
        self.problem = f"its manifest {reason}" if self.body is None else ""
        if self.body is not None and self.body.get("run") != self.name:
            self.problem = f"its manifest belongs to run {self.body.get('run')}: it was replayed or moved"
        self.sha256 = sha256(canonical(self.body)) if self.body else ""
        self.taken_at = str(self.body["source"]["taken_at"]) if self.body else ""
        self.status = self._status(path.parent, keys)
        if not self.problem:
            self._read_facts(path.with_name("evidence.json"), keys)

    def _status(self, directory: Path, keys: list[Ed25519PublicKey]) -> str:
        """What the newest proof of this very manifest says; "stored" without one."""
        proofs = [paper_at(path, keys)[0] for path in directory.glob("proof-*.json")]
        ours = [proof for proof in proofs if proof and proof.get("manifest_sha256") == self.sha256]
        return str(max(ours, key=lambda proof: str(proof["at"]))["status"]) if ours else "stored"

    def _read_facts(self, path: Path, keys: list[Ed25519PublicKey]) -> None:
        if not path.is_file():
            return
        facts, reason = paper_at(path, keys)
        if facts is None or (facts.get("run"), facts.get("manifest_sha256")) != (self.name, self.sha256):
            self.problem = f"its evidence.json {reason or 'speaks of another run'}"
            return
        self.facts = facts
        if self.body is not None and self._heads(self.body) != self._heads_of_facts():
            self.problem = "its evidence.json counts other chains than its manifest"

    def _heads(self, body: dict[str, Any]) -> set[tuple[Any, ...]]:
        chained = [table for table in body["tables"] if table["chains"] is not None]
        return {(f"{t['schema']}.{t['name']}", h["chain"], h["rows"], h["head"]) for t in chained for h in t["chains"]}

    def _heads_of_facts(self) -> set[tuple[Any, ...]]:
        heads = set()
        for table in (self.facts or {})["tables"]:
            for chain in {entry["chain"] for entry in table["months"]}:
                own = [entry for entry in table["months"] if entry["chain"] == chain]
                head = max(own, key=lambda entry: entry["last"])["head"]
                heads.add((table["table"], chain, sum(entry["rows"] for entry in own), head))
        return heads

    def months(self, month: str) -> dict[tuple[str, str], dict[str, Any]]:
        """This month of every chain, by table and chain."""
        tables = self.facts["tables"] if self.facts else []
        return {(t["table"], m["chain"]): m for t in tables for m in t["months"] if m["month"] == month}

    def part(self, name: str, table: str, chain: str) -> list[dict[str, Any]]:
        tables = self.facts["tables"] if self.facts else []
        return [entry for t in tables if t["table"] == table for entry in t[name] if entry["chain"] == chain]


def judge_period(paths: list[Path], keys: list[Ed25519PublicKey], period: str) -> tuple[int, bool]:
    """A verdict on each chain: the number of problems, and whether there was one. A damaged paper refuses them all."""
    papers = sorted((Paper(path, keys) for path in paths), key=lambda paper: paper.taken_at)
    bad = [paper for paper in papers if paper.problem]
    for paper in bad:
        print(f"BAD {paper.name}\n    {paper.problem}")
    if bad:
        print(f"REFUSED: nothing is said about {period} while a paper of a run is not what was written.")
        return len(bad), True
    since = [paper for paper in papers if paper.taken_at[:7] >= period and paper.status in ("proven", "suspect")]
    proven = [paper for paper in since if paper.status == "proven"]
    if not proven:
        print(f"NOT KNOWN: no proven run was made in {period} or since.")
        return 0, False
    return tell_period(period, since, proven, {paper.name: paper for paper in papers}), True


def tell_period(period: str, since: list[Paper], proven: list[Paper], known: dict[str, Paper]) -> int:
    chains = sorted({key for paper in since for key in paper.months(period)})
    verdicts = {key: judge_chain(key, period, since, known) for key in chains}
    altered = [key for key, (changes, _) in verdicts.items() if changes]
    unclear = [key for key, (changes, gaps) in verdicts.items() if gaps and not changes]
    without = sum(paper.facts is None for paper in since)
    rows = sum(newest(key, period, proven).get("rows", 0) for key in chains)
    word = "ALTERED" if altered else "NOT KNOWN" if unclear or without else "INTACT"
    between = f"{len(proven)} proven runs from {proven[0].taken_at[:16]} to {proven[-1].taken_at[:16]}"
    print(
        f"{word}: {len(chains)} chains with {rows} decisions of {period}, {len(altered)} altered, {len(unclear)} not "
        f"compared throughout; each hash was recomputed in {between}; {unwatched(period, proven, known)}; what was "
        f"written and removed between two runs cannot be known.{f' {without} runs carry no facts.' if without else ''}"
    )
    for key in chains:
        changes, gaps = verdicts[key]
        last = newest(key, period, proven)
        late = written_late(key, period, since)
        said = [f"{late} decisions written after the month had ended"] if late else []
        verdict = (
            "; ".join([*changes, *gaps, *said]) or "hashed columns equal, set conversions unchanged, no row removed"
        )
        name = "altered" if changes else "unclear" if gaps else "intact"
        print(f"{name:<8}{key[1]}: {last.get('rows', 0)} decisions, {last.get('conversions', 0)} converted; {verdict}")
    return len(altered) + len(unclear) + without


def unwatched(period: str, proven: list[Paper], known: dict[str, Paper]) -> str:
    """The longest time of the month between two proven runs; the verifier knows no schedule, so it only counts."""
    year, month = int(period[:4]), int(period[5:7])
    start, end = datetime(year, month, 1, tzinfo=UTC), datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    times = sorted(moment(paper.taken_at) for paper in known.values() if paper.status == "proven")
    before = [at for at in times if at <= start][-1:] or [start]
    after = [at for at in times if at >= end][:1] or [max(end, times[-1])]
    borders = [*before, *(at for at in times if start < at < end), *after]
    seconds = max(int((later - at).total_seconds()) for at, later in pairwise(borders))
    return f"at most {seconds // 3600} h {seconds % 3600 // 60} min passed between two proven runs"


def moment(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def newest(key: tuple[str, str], period: str, proven: list[Paper]) -> dict[str, Any]:
    return next((month for paper in reversed(proven) if (month := paper.months(period).get(key))), {})


def judge_chain(
    key: tuple[str, str], period: str, since: list[Paper], known: dict[str, Paper]
) -> tuple[list[str], list[str]]:
    """What must never happen and did, and what could not be compared, run by run."""
    changes: list[str] = []
    gaps: list[str] = []
    before: tuple[dict[str, Any], Paper] | None = None
    for paper in since:
        now = paper.months(period).get(key)
        problems = compare_months(key, before, now, paper) if before else []
        problems += compare_conversions(key, before, now, paper, known, gaps)
        problems = problems or compare_end(key, period, paper, known, gaps)
        changes += [f"{line} (seen {paper.taken_at[:16]}, run {paper.name})" for line in problems]
        if paper.facts is not None:
            before = (now, paper) if now else None
    return changes, gaps


def written_late(key: tuple[str, str], period: str, since: list[Paper]) -> int:
    """Decisions of the month that the run before had not, although the month was over when it was made."""
    year, month = int(period[:4]), int(period[5:7])
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    papers = [paper for paper in since if paper.facts is not None]
    counts = [(moment(paper.taken_at), paper.months(period).get(key, {}).get("rows", 0)) for paper in papers]
    return sum(max(now - was, 0) for (at, was), (_, now) in pairwise(counts) if at >= end)


def compare_months(
    key: tuple[str, str], before: tuple[dict[str, Any], Paper], now: dict[str, Any] | None, paper: Paper
) -> list[str]:
    was, _ = before
    if paper.facts is None:
        return []
    if now is None or now["rows"] < was["rows"]:
        return [f"{was['rows'] - (now['rows'] if now else 0)} of {was['rows']} decisions are gone"]
    if now["rows"] == was["rows"] and now["decisions_sha256"] != was["decisions_sha256"]:
        return ["decisions are not what they were"]
    return []


def compare_conversions(
    key: tuple[str, str],
    before: tuple[dict[str, Any], Paper] | None,
    now: dict[str, Any] | None,
    paper: Paper,
    known: dict[str, Paper],
    gaps: list[str],
) -> list[str]:
    """Set ones must stay set; that they kept time and value is told by the digest that the later proof took of them."""
    if now is None or paper.facts is None:
        return []
    if before and before[0]["conversions_sha256"] != now["conversions_sha256"]:
        if None in (now["places"], before[0]["places"]):
            gaps.append(f"conversions at {paper.taken_at[:16]}: too many to list")
            return []
        earlier, places = numbers(before[0]["places"]), numbers(now["places"])
        if earlier - places:
            return ["conversions were taken back"]
        if earlier == places:
            return ["conversions were changed after they were set"]
    first = known.get(paper.facts["previous"])
    was = first.months(now["month"]).get(key) if first and first.sha256 == paper.facts["previous_sha256"] else None
    if was is None or not was["conversions"] or was["conversions_sha256"] == now["conversions_sha256"]:
        return []
    taken = [entry for entry in paper.part("conversions", *key) if entry["month"] == now["month"]]
    if not taken:
        gaps.append(f"earlier conversions at {paper.taken_at[:16]}")
        return []
    same = (taken[0]["rows"], taken[0]["sha256"]) == (was["conversions"], was["conversions_sha256"])
    return [] if same else ["conversions were changed after they were set"]


def compare_end(key: tuple[str, str], period: str, paper: Paper, known: dict[str, Paper], gaps: list[str]) -> list[str]:
    """Where the chain ended in the run before, the same hash must stand now."""
    before = known.get(paper.facts["previous"]) if paper.facts else None
    if paper.facts is None or not paper.facts["previous"]:
        return []
    if before is None or before.facts is None or before.sha256 != paper.facts["previous_sha256"]:
        gaps.append(f"the run at {paper.taken_at[:16]} was not compared: there are no facts about the one before it")
        return []
    own = before.part("months", *key)
    end = max(own, key=lambda entry: int(entry["last"]), default=None)
    if end is None or end["month"] != period:
        return []
    again = next((entry for entry in paper.part("ends", *key) if entry["last"] == end["last"]), None)
    rows = sum(entry["rows"] for entry in own)
    if again is None:
        gaps.append(f"the run at {paper.taken_at[:16]} was not compared with the one before it")
    elif (again["rows"], again["head"]) != (rows, end["head"]):
        return [f"decisions up to number {end['last']} are not what they were, or are gone"]
    return []


def numbers(places: str) -> set[int]:
    """Packed sequence numbers: "<gap>x<length>" after the end of the range before, comma-separated, zlib, base64."""
    plain = zlib.decompress(base64.b64decode(places)).decode()
    members: set[int] = set()
    end = 0
    for part in plain.split(",") if plain else []:
        gap, _, length = part.partition("x")
        low = end + int(gap)
        end = low + int(length or 1) - 1
        members.update(range(low, end + 1))
    return members


def report(run: Run, body: dict[str, Any] | None) -> None:
    facts = ""
    if body is not None:
        segments = len(body.get("objects", [])) + sum(len(table["segments"]) for table in body["tables"])
        facts = f" {body['source']['taken_at'][:19]} {body['policy']}: {segments} objects, {run.opened} opened"
        facts += f", {run.chains} chains" if run.chains else ""
        facts += f", {run.encrypted} encrypted" if run.encrypted else ""
        facts += f", data deleted by retention on {run.purged[:10]}" if run.purged else ""
    print(f"{'BAD ' if run.problems else 'ok  '}{run.name}{facts}")
    for problem in run.problems:
        print(f"    {problem}")
    for text in run.said:
        print(f"    said: {text}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--public-key", type=Path, required=True, metavar="FILE")
    parser.add_argument("--plain", type=Path, metavar="DIR")
    parser.add_argument("--period", default="", metavar="YYYY-MM")
    options = parser.parse_args()
    if options.period and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", options.period):
        print(f"--period is a month such as 2026-03, not {options.period!r}")
        return 1
    try:
        keys = read_public_keys(options.public_key)
    except (OSError, ValueError) as error:
        print(f"the public key cannot be used: {error}")
        return 1
    return 1 if verify_store(options.directory, keys, options.plain, options.period) else 0


if __name__ == "__main__":
    sys.exit(main())
