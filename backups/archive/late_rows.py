"""What was written after a run and would have been lost: rows kept beside it, and laid over it by every restore.

In: a store and a run. Out: signed documents under `runs/<run>/kept/` that name their segments; a step's last counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from backups.archive.manifest import Manifest, Table
from backups.archive.reader import segment_problem
from backups.archive.signatures import Signer, Verifier
from backups.archive.signed_json import ManifestError, sealed, table_from, unsealed
from providers.storage.base import Store

FORMAT = "sampelit-ops-kept/1"


@dataclass(frozen=True)
class LateRows:
    """Rows of some tables of a run as they were just before `operation` destroyed them."""

    run: str
    manifest_sha256: str
    operation: str
    step: int
    fence: int
    attempt: int
    at: str
    tables: tuple[Table, ...]
    format: str = field(default=FORMAT)

    @property
    def prefix(self) -> str:
        return prefix_of(self.run, self.step, self.fence, self.attempt)

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


def prefix_of(run: str, step: int, fence: int, attempt: int) -> str:
    """Sorts by step, then by time."""
    return f"runs/{run}/kept/{step:03d}-{fence:06d}-{attempt:03d}/"


def put_late_rows(store: Store, late_rows: LateRows, signer: Signer | None) -> str:
    """Write the document, after its segments; answers its key."""
    key = f"{late_rows.prefix}kept.json"
    store.put_once(key, sealed(asdict(late_rows), signer))
    return key


def late_rows_of(store: Store, manifest: Manifest, verifier: Verifier | None) -> list[LateRows]:
    """In the order in which they were written. Raises ManifestError for a document that is not what was written."""
    keys = sorted(item.key for item in store.list(f"runs/{manifest.run}/kept/") if item.key.endswith("/kept.json"))
    last = {key.split("/")[-2].partition("-")[0]: key for key in keys}
    return [_decoded(store.get(key), key, manifest, verifier) for _, key in sorted(last.items())]


def _decoded(data: bytes, key: str, manifest: Manifest, verifier: Verifier | None) -> LateRows:
    body: dict[str, Any] = unsealed(data, verifier)
    try:
        late_rows = LateRows(**{**body, "tables": tuple(table_from(item) for item in body["tables"])})
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"{key}: a field is missing or of the wrong kind ({error})") from None
    if (
        late_rows.format != FORMAT
        or late_rows.manifest_sha256 != manifest.sha256
        or key != f"{late_rows.prefix}kept.json"
    ):
        raise ManifestError(f"{key} belongs to another run: it was replayed or moved")
    return late_rows


def late_rows_problems(store: Store, manifest: Manifest, verifier: Verifier | None) -> list[str]:
    """What is wrong with the documents and objects kept beside a run."""
    try:
        tables = [table for late_rows in late_rows_of(store, manifest, verifier) for table in late_rows.tables]
    except ManifestError as error:
        return [f"Rows kept after the run were rejected: {error}."]
    segments = [segment for table in tables for segment in table.segments]
    return [problem for segment in segments if (problem := segment_problem(store, segment, (), deep=False))]


def chosen(late_rows: Sequence[LateRows], tables: Sequence[Table], schema: str) -> list[Table]:
    """The kept tables that a narrowed (and, with `schema`, moved) restore brings back."""
    wanted = {(table.schema, table.name) for table in tables}
    parts = [replace(table, schema=schema or table.schema) for part in late_rows for table in part.tables]
    return [table for table in parts if (table.schema, table.name) in wanted]
