"""The product's decision hash (its facts, not its code). In: one decision and the previous hash. Out: hex SHA-256."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from uuid import UUID


def decision_hash(
    visitor_id: str, variant_id: UUID, segment_key: str, at: datetime, previous_hash: str | None, sequence: int
) -> str:
    """SHA-256 of the sorted JSON; every non-ASCII character is escaped, the time is UTC as `isoformat()` writes it."""
    preimage = {
        "visitor_id": visitor_id,
        "variant_id": str(variant_id),
        "segment_key": segment_key,
        "timestamp": at.astimezone(UTC).isoformat(),
        "previous_hash": previous_hash or "",
        "sequence_number": sequence,
    }
    return hashlib.sha256(json.dumps(preimage, sort_keys=True).encode()).hexdigest()
