"""What the timeline says about operations: one template for each action code."""

from __future__ import annotations

from ledger import registry
from ledger.authenticity import PUBLISHED
from operations import audit
from operations.engine import kinds
from operations.notes.service import NOTED
from operations.notify.first_hand import TOLD

SENTENCES = {
    "operations.requested": "{operation} requested{quoted_reason}",
    "operations.refused": "{subject} refused to {actor}: {reason}",
    "operations.approved": "{actor} approved {operation}",
    "operations.rejected": "{actor} rejected {operation}{comments}",
    "operations.approval_revoked": "{actor} took back the vote for {operation}",
    "operations.break_glass": "{actor} broke the glass for {operation}: {reason}",
    "operations.break_glass_lapsed": (
        "The break-glass for {operation} lapsed before a worker was free; it waits for votes again"
    ),
    "operations.votes_missing": "{operation} waits for votes again: {reason}",
    "operations.approver_confirmed": "{actor} confirmed {subject} as an approver: the votes count from now on",
    "operations.voters_known": "The portal wrote down who may vote and who had, before it began to vouch for entries",
    "operations.requests_known": "The portal wrote down what had been requested, before it began to ask the ledger",
    PUBLISHED: "The public half of AUTHORITY_KEY was published ({public_key}): votes and roles count by signature only",
    "operations.cancel_requested": "{actor} asked to cancel {operation}{because}",
    "operations.succeeded": "{operation} succeeded{errors}",
    "operations.failed": "{operation} failed{errors}",
    "operations.cancelled": "{operation} was cancelled{errors}",
    "operations.expired": "{operation} expired{errors}",
    "operations.environment.identified": "{variable} was met for the first time: {subject} is {database}{alike_too}",
    "operations.environment.rebound": "{actor} moved {subject} from {before} to {now}",
    "operations.environment.reached": "{subject} is also reached at {address}, by {variable}",
    TOLD: "A worker told the approvers of entry {subject}",
    "operations.projects_gone": "Supabase no longer lists the project {names}",
    NOTED: "{actor} noted on {title}: {text}",
    "operations.task.closed": "{actor} closed “{task}”: {resolution}",
}


def register() -> None:
    registry.sentences(SENTENCES, PHRASES)
    audit.speak("operations.environment", "environment")


def _operation(facts: registry.Facts) -> str:
    """“Export and prove audit-trail on production”."""
    name = str(facts.get("kind", ""))
    kind = kinds.registry.kinds.get(name)
    where = f" on {facts['environment']}" if facts["environment"] else ""
    return f"{kind.label if kind else name} {facts.get('about', '')}".strip() + where


def _after_colon(name: str) -> registry.Phrase:
    return lambda facts: f": {facts[name]}" if facts.get(name) else ""


PHRASES = {
    "operation": _operation,
    "quoted_reason": lambda facts: f", “{facts['reason']}”" if facts.get("reason") else "",
    "alike_too": lambda facts: f", which is also {facts['alike']}" if facts.get("alike") else "",
    "because": _after_colon("reason"),
    "comments": _after_colon("comment"),
    "errors": _after_colon("error"),
}
