"""What the timeline says about migrations: files, rules, drift, baselines, applications."""

from __future__ import annotations

from ledger.models import Entry
from ledger.registry import sentence


def register() -> None:
    """Importing this module registers; the call makes the import visible."""


@sentence("migrations_registry.files.registered")
def _registered(entry: Entry) -> str:
    return f"{entry.subject} registered from {entry.payload['source']}."


@sentence("migrations_registry.policy.changed")
def _policy(entry: Entry) -> str:
    return f"Migration rules: version {entry.subject} is in force."


@sentence("migrations_registry.waiver.proposed")
def _proposed(entry: Entry) -> str:
    return f"A waiver of {entry.payload['rule']} at line {entry.payload['line']} of {entry.subject} was proposed."


@sentence("migrations_registry.waiver.approved")
def _approved(entry: Entry) -> str:
    return f"{entry.payload['rule']} at line {entry.payload['line']} of {entry.subject} was waived."


@sentence("migrations_registry.drift.found")
def _found(entry: Entry) -> str:
    changes = entry.payload["changes"]
    first = changes[0] if isinstance(changes, list) and changes else ""
    more = int(str(entry.payload["count"])) - 1
    return f"The schema of {entry.subject} changed without an operation: {first}{f' and {more} more' if more else ''}."


@sentence("migrations_registry.drift.resolved")
def _resolved(entry: Entry) -> str:
    return f"Drift on {entry.subject} {entry.payload['status']} by {entry.actor}: {entry.payload['reason']}"


@sentence("migrations_registry.drift.first_seen")
def _first(entry: Entry) -> str:
    return f"The schema of {entry.subject} was looked at for the first time: {entry.payload['objects']} objects."


@sentence("migrations_registry.baseline.made")
def _baselined(entry: Entry) -> str:
    return f"The stream {entry.subject} was baselined on {entry.environment} by observation; no SQL was run."


@sentence("migrations_registry.history.marked")
def _marked(entry: Entry) -> str:
    return f"{entry.subject} marked as {entry.payload['state']} in the history of {entry.environment}; no SQL was run."


@sentence("migrations_registry.applied")
def _applied(entry: Entry) -> str:
    return f"{entry.subject} was applied to {entry.environment}, verified and recorded in its history."


@sentence("migrations_registry.not_applied")
def _not_applied(entry: Entry) -> str:
    return f"{entry.subject} on {entry.environment}: {entry.payload['state']}. {entry.payload['reason']}"
