"""What the timeline says about migrations."""

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
