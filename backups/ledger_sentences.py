"""What the timeline says about backups: one template for each action code."""

from __future__ import annotations

from ledger import registry
from operations import audit
from providers.counting import counted

SENTENCES = {
    "backups.export.stored": "Run {subject} of {policy} stored: {rows:row}, not yet proven.",
    "backups.export.proven": "Run {subject} of {policy} proven by a restore of {rows:row}.",
    "backups.export.suspect": "Run {subject} of {policy} is suspect: {why}",
    "backups.export.failed": "Run {subject} of {policy} failed: {why}",
    "backups.store.probed": "The store {subject} was probed: {usability}.",
    "backups.restore.succeeded": "{actor} restored run {subject} into {target}: {rows:row}.",
    "backups.restore.looked_after": "{actor} looked after run {subject}'s restore: {found} found, {mended} mended.",
    "backups.restore.failed": "The restore of run {subject} into {target} failed: {reason}",
    "backups.policy.database_accepted": "{actor} accepted another database for policy {subject} of {environment}.",
    "backups.slot.missed": "The slot of {at} of {subject} was missed. {reason}",
    "backups.slot.acknowledged": "{actor} acknowledged red slots of {subject}.",
    "backups.run.mirrored": "Run {subject} of {policy} is complete in the second store.",
    "backups.run.downloaded": "{actor} downloaded {download}.",
    "backups.runs.retired": "Retention of {subject} retired {count:run}; their data stays for seven days.",
    "backups.run.purged": (
        "Retention deleted the data of run {subject} of {policy} ({objects:object}), not its proofs."
    ),
    "backups.run.brought_back": "{actor} brought run {subject} back; retention leaves it alone for 30 days.",
    "backups.portal.recovered": "The portal was brought back from {source}{lost}.",
    "backups.witness.sent": "The signed head of {size:entry} and {runs:run} went to the witness.",
    "backups.incident.opened": "Altered on {environment}: {summary}",
    "backups.incident.resolved": "{actor}{agreed_by} resolved the incident {subject} ({about}): {reason}",
    "backups.hold.placed": "Run {subject} is under a legal hold: {reason}",
    "backups.hold.released": "{actor} released the hold on run {subject}: {reason}",
    "backups.provider.restored": (
        "{actor} restored {environment} at Supabase to {subject}: {taken_back:row} taken back; "
        "the state before it {before}."
    ),
    "backups.provider.not_restored": (
        "The restore of {environment} at Supabase to {subject} did not end well: {reason}"
    ),
    "backups.provider.point": "{actor} marked {environment} {restore_point}",
    "backups.evidence.produced": "{actor} produced the evidence report {from:.10} to {to:.10}: {verdict}.",
    "backups.decision.traced": "{actor} traced decision {sequence} of {subject} through {runs:run}.",
}


def register() -> None:
    registry.sentences(SENTENCES, PHRASES)
    audit.speak("backups.policy", "policy")


def _why(facts: registry.Facts) -> str:
    reasons = facts.get("reasons")
    return " ".join(map(str, reasons)) if isinstance(reasons, list) else str(facts.get("reason"))


def _usability(facts: registry.Facts) -> str:
    bad = facts.get("bad")
    why = f" ({', '.join(map(str, bad))})" if isinstance(bad, list) and bad else ""
    return ("usable" if facts["usable"] else "NOT usable") + why


def _download(facts: registry.Facts) -> str:
    if "object" in facts:
        return f"{facts['object']} ({facts['bytes']:,} bytes) of run {facts['subject']}"
    return f"{facts['table']} of run {facts['subject']}: {counted(facts['rows'], 'row')}"


def _source(facts: registry.Facts) -> str:
    return f"its copy {facts['subject']}" if facts["subject"] else "the runs' manifests alone"


def _lost(facts: registry.Facts) -> str:
    return f"; lost: at least {counted(facts['lost_entries'], 'entry')}" if facts["lost_entries"] else ""


def _agreed_by(facts: registry.Facts) -> str:
    agreed = facts.get("agreed")
    return f" (agreed: {', '.join(agreed)})" if isinstance(agreed, list) and agreed else ""


def _before(facts: registry.Facts) -> str:
    return f"is run {facts['present']}" if facts["present"] else "was given up"


def _restore_point(facts: registry.Facts) -> str:
    if facts["instead"]:
        return f"by our own run {facts['subject']}. {facts['instead']}"
    return f"at Supabase as restore point {facts['subject']}."


PHRASES = {
    "why": _why,
    "usability": _usability,
    "download": _download,
    "source": _source,
    "lost": _lost,
    "agreed_by": _agreed_by,
    "before": _before,
    "restore_point": _restore_point,
}
