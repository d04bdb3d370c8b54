"""What the timeline says about migrations: one template for each action code."""

from __future__ import annotations

from ledger import registry

SENTENCES = {
    "migrations_registry.files.registered": "{subject} registered from {source}.",
    "migrations_registry.policy.changed": "Migration rules: version {subject} is in force.",
    "migrations_registry.waiver.proposed": "A waiver of {rule} at line {line} of {subject} was proposed.",
    "migrations_registry.waiver.approved": "{rule} at line {line} of {subject} was waived.",
    "migrations_registry.drift.found": "The schema of {subject} changed without an operation: {changed}.",
    "migrations_registry.drift.resolved": "Drift on {subject} {status} by {actor}: {reason}",
    "migrations_registry.drift.first_seen": (
        "The schema of {subject} was looked at for the first time: {objects:object}."
    ),
    "migrations_registry.baseline.made": (
        "The stream {subject} was baselined on {environment} by observation; no SQL was run."
    ),
    "migrations_registry.history.marked": (
        "{subject} marked as {state} in the history of {environment}; no SQL was run."
    ),
    "migrations_registry.applied": "{subject} was applied to {environment}, verified and recorded in its history.",
    "migrations_registry.rehearsed": "{subject} was rehearsed on a copy of {environment}: {outcome}. {error}",
    "migrations_registry.rehearsal.waived": "The failed rehearsal of {subject} on {environment} was waived: {reason}",
    "migrations_registry.undone": "What {subject} destroyed on {environment} was brought back.",
    "migrations_registry.more_than_approved": (
        "{subject} did more than was approved on {environment}: {changed}; {end}."
    ),
    "migrations_registry.not_applied": "{subject} on {environment}: {state}. {reason}",
}


def register() -> None:
    registry.sentences(SENTENCES, {"changed": _changed})


def _changed(facts: registry.Facts) -> str:
    changes, more = facts["changes"], int(str(facts["count"])) - 1
    first = str(changes[0]) if isinstance(changes, list) and changes else ""
    return first + (f" and {more} more" if more else "")
