"""What operations add to the timeline: one sentence per action code."""

from __future__ import annotations

from ledger.models import Entry
from ledger.registry import Sentence, sentence
from operations.engine import kinds

ENDS = {
    "operations.succeeded": "succeeded",
    "operations.failed": "failed",
    "operations.cancelled": "was cancelled",
    "operations.expired": "expired",
}


def register() -> None:
    """Importing this module registers the fixed codes; the call adds the ends."""
    for code, words in ENDS.items():
        sentence(code)(_ended(words))


def what(entry: Entry) -> str:
    """“Export and prove audit-trail on production”."""
    name = str(entry.payload.get("kind", ""))
    kind = kinds.registry.kinds.get(name)
    about = str(entry.payload.get("about", ""))
    return f"{kind.label if kind else name} {about}".strip() + (f" on {entry.environment}" if entry.environment else "")


def _ended(words: str) -> Sentence:
    def say(entry: Entry) -> str:
        error = str(entry.payload.get("error", ""))
        return f"{what(entry)} {words}{': ' + error if error else ''}"

    return say


@sentence("operations.requested")
def _requested(entry: Entry) -> str:
    reason = str(entry.payload.get("reason", ""))
    return f"{what(entry)} requested{f', “{reason}”' if reason else ''}"


@sentence("operations.refused")
def _refused(entry: Entry) -> str:
    return f"{entry.subject} refused to {entry.actor}: {entry.payload['reason']}"


@sentence("operations.approved")
def _approved(entry: Entry) -> str:
    return f"{entry.actor} approved {what(entry)}"


@sentence("operations.rejected")
def _rejected(entry: Entry) -> str:
    comment = str(entry.payload.get("comment", ""))
    return f"{entry.actor} rejected {what(entry)}{': ' + comment if comment else ''}"


@sentence("operations.approval_revoked")
def _revoked(entry: Entry) -> str:
    return f"{entry.actor} took back the vote for {what(entry)}"


@sentence("operations.break_glass")
def _break_glass(entry: Entry) -> str:
    return f"{entry.actor} broke the glass for {what(entry)}: {entry.payload['reason']}"


@sentence("operations.break_glass_lapsed")
def _lapsed(entry: Entry) -> str:
    return f"The break-glass for {what(entry)} lapsed before a worker was free; it waits for votes again"


@sentence("operations.cancel_requested")
def _cancel(entry: Entry) -> str:
    reason = entry.payload.get("reason")
    return f"{entry.actor} asked to cancel {what(entry)}" + (f": {reason}" if reason else "")


@sentence("operations.task.closed")
def _task(entry: Entry) -> str:
    return f"{entry.actor} closed “{entry.payload['task']}”: {entry.payload['resolution']}"
