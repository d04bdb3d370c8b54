"""The manifest of a run: what was copied, from where, with every digest. Written last; without it no run exists.

In: facts gathered by an export. Out: one signed JSON document, and back. Imports neither Django nor providers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from backups.canonical import canonical, sha256
from backups.signing import Signer, Verifier

FORMAT = "sampelit-ops-run/1"


class ManifestError(Exception):
    """The document is not what was written; the message says in what way."""


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    hashed_as: str


@dataclass(frozen=True)
class Segment:
    """One stored object: rows of one ctid range. Raw is the COPY stream, stored is what lies in the store."""

    key: str
    start: str
    end: str
    rows: int
    digest: str
    raw_bytes: int
    raw_sha256: str
    stored_bytes: int
    stored_sha256: str
    encrypted: bool


@dataclass(frozen=True)
class Head:
    chain: str
    rows: int
    first: int
    last: int
    head: str


@dataclass(frozen=True)
class Table:
    """`chains` is None for tables that carry no hash chain; `named` tables were asked for by name."""

    schema: str
    name: str
    format: str
    named: bool
    columns: tuple[Column, ...]
    segments: tuple[Segment, ...]
    chains: tuple[Head, ...] | None = None

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def rows(self) -> int:
        return sum(segment.rows for segment in self.segments)

    @property
    def digest(self) -> str:
        return str(sum(int(segment.digest) for segment in self.segments))

    @property
    def raw_bytes(self) -> int:
        return sum(segment.raw_bytes for segment in self.segments)

    @property
    def stored_bytes(self) -> int:
        return sum(segment.stored_bytes for segment in self.segments)


@dataclass(frozen=True)
class Statement:
    phase: str
    kind: str
    name: str
    sql: str
    needed: bool
    table: str = ""
    references: str = ""


@dataclass(frozen=True)
class Source:
    """The database and the instant: identity, snapshot bounds (xid8), log position, the database's own clock."""

    database: str
    role: str
    server_version: str
    system_identifier: str
    timeline: int
    xmin: str
    xmax: str
    lsn: str
    taken_at: str


@dataclass(frozen=True)
class Manifest:
    run: str
    fence: int
    environment: str
    policy: str
    source: Source
    tables: tuple[Table, ...]
    statements: tuple[Statement, ...]
    recipients: tuple[str, ...] = ()
    tool: str = ""
    ledger_entries: int = 0
    ledger_head: str = ""
    previous_sha256: str = ""
    format: str = field(default=FORMAT)

    @property
    def prefix(self) -> str:
        return prefix_of(self.run, self.fence)

    @property
    def segments(self) -> list[Segment]:
        return [segment for table in self.tables for segment in table.segments]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def raw_bytes(self) -> int:
        return sum(table.raw_bytes for table in self.tables)

    @property
    def stored_bytes(self) -> int:
        return sum(table.stored_bytes for table in self.tables)

    @property
    def sha256(self) -> str:
        return sha256(canonical(asdict(self)))

    def table(self, qualified: str) -> Table:
        return next(table for table in self.tables if table.qualified == qualified)


def manifest_key(run: str) -> str:
    return f"runs/{run}/manifest.json"


def prefix_of(run: str, fence: int) -> str:
    return f"runs/{run}/{fence}/"


def sealed(body: Mapping[str, Any], signer: Signer | None) -> bytes:
    """A document around any body: its SHA-256 and, with a key, its Ed25519 signature."""
    text = canonical(body)
    signature = {"key": signer.key_id, "value": signer.sign(text)} if signer else None
    return canonical({"body": body, "sha256": sha256(text), "signature": signature}) + b"\n"


def unsealed(data: bytes, verifier: Verifier | None) -> dict[str, Any]:
    """The body of a sealed document. Raises ManifestError when a byte differs or a wanted signature does not hold."""
    try:
        document = json.loads(data)
        body, digest, signature = document["body"], document["sha256"], document["signature"]
        text = canonical(body)
        rewritten = canonical(document) + b"\n"
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestError(f"it is not readable as JSON of this format ({type(error).__name__})") from None
    if sha256(text) != digest or rewritten != data:
        raise ManifestError("its content does not give its own SHA-256: it was edited or damaged")
    if verifier is not None:
        if signature is None:
            raise ManifestError("it carries no signature, although a signing key is configured")
        if not verifier.holds(text, str(signature.get("value", ""))):
            raise ManifestError(f"its signature does not hold for key {verifier.key_id}")
    return dict(body)


def encode(manifest: Manifest, signer: Signer | None) -> bytes:
    return sealed(asdict(manifest), signer)


def decode(data: bytes, verifier: Verifier | None = None) -> Manifest:
    """Read a manifest back. Raises ManifestError with the reason when it is not exactly what was written."""
    body = unsealed(data, verifier)
    if body.get("format") != FORMAT:
        raise ManifestError(f"its format is {body.get('format')!r}, not {FORMAT!r}")
    try:
        return _manifest(body)
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"a field is missing or of the wrong kind ({error})") from None


def _manifest(body: dict[str, Any]) -> Manifest:
    body = dict(body)
    body["source"] = Source(**body["source"])
    body["tables"] = tuple(_table(item) for item in body["tables"])
    body["statements"] = tuple(Statement(**item) for item in body["statements"])
    body["recipients"] = tuple(body["recipients"])
    return Manifest(**body)


def _table(item: dict[str, Any]) -> Table:
    item = dict(item)
    item["columns"] = tuple(Column(**column) for column in item["columns"])
    item["segments"] = tuple(Segment(**segment) for segment in item["segments"])
    if item["chains"] is not None:
        item["chains"] = tuple(Head(**head) for head in item["chains"])
    return Table(**item)
