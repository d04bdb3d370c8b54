"""What the timeline says about backups: one template for each action code."""

from __future__ import annotations

from backups.policy_spec import policy_title
from ledger import registry
from operations import audit
from providers.counting import counted

SENTENCES = {
    "backups.export.stored": "Stored: {run}, {rows:row}, not yet proven.",
    "backups.export.proven": "Proven: {run}, by a restore of {rows:row}.",
    "backups.export.proven_in_part": "Proven in part: {run}, by a restore of {rows:row}. {why}",
    "backups.export.suspect": "Suspect: {run}. {why}",
    "backups.export.failed": "Failed: {run}. {why}",
    "backups.store.probed": "The store {subject} was probed: {usability}.",
    "backups.restore.succeeded": "{actor} restored {run} into {target}: {rows:row}.",
    "backups.restore.looked_after": "{actor} looked after the restore of {run}: {found} found, {mended} mended.",
    "backups.restore.failed": "The restore of {run} into {target} failed: {reason}",
    "backups.policy.database_accepted": "{actor} accepted another database for policy {subject} of {environment}.",
    "backups.slot.missed": "The slot of {at} of {subject} was missed. {reason}",
    "backups.slot.acknowledged": "{actor} acknowledged red slots of {subject}.",
    "backups.run.mirrored": "Complete in the second store: {run}.",
    "backups.run.downloaded": "{actor} downloaded {download}.",
    "backups.runs.retired": "Retention of {policy_title} retired {count:run}; their data stays for seven days.",
    "backups.run.purged": "Retention deleted the data of {run}, {objects:object}; its proofs stay.",
    "backups.run.brought_back": "{actor} brought {run} back; retention leaves it alone for 30 days.",
    "backups.portal.recovered": "The portal was brought back from {source}{lost}.",
    "backups.witness.sent": "The signed head of {size:entry} and {runs:run} went to the witness.",
    "backups.incident.opened": "Altered on {environment}: {summary}",
    "backups.incident.resolved": "{actor}{agreed_by} resolved the incident {subject} ({about}): {reason}",
    "backups.hold.placed": "Legal hold on {run}: {reason}",
    "backups.hold.released": "{actor} released the hold on {run}: {reason}",
    "backups.provider.restored": (
        "{actor} restored {environment} at Supabase to {subject}: {taken_back:row} taken back; "
        "the state before it {before}."
    ),
    "backups.provider.not_restored": (
        "The restore of {environment} at Supabase to {subject} did not end well: {reason}"
    ),
    "backups.provider.gone": "{actor} no longer lists {names} of {environment}",
    "backups.provider.back": "{actor} lists {names} of {environment} again",
    "backups.provider.point": "{actor} marked {environment} {restore_point}",
    "backups.evidence.produced": "{actor} produced the evidence report {from:.10} to {to:.10}: {verdict}.",
    "backups.decision.traced": "{actor} traced decision {sequence} of {subject} through {runs:run}.",
}


def register() -> None:
    registry.sentences(SENTENCES, PHRASES)
    audit.speak("backups.policy", "policy")


def _run(facts: registry.Facts) -> str:
    """By the name that the entry holds; entries from before that hold at most its policy."""
    policy = str(facts.get("policy", ""))
    return str(facts.get("run_name") or (f"a run of {policy_title(policy)}" if policy else "a run"))


def _policy_title(facts: registry.Facts) -> str:
    return policy_title(str(facts["subject"]))


def _why(facts: registry.Facts) -> str:
    reasons = facts.get("reasons")
    return " ".join(map(str, reasons)) if isinstance(reasons, list) else str(facts.get("reason"))


def _usability(facts: registry.Facts) -> str:
    bad = facts.get("bad")
    why = f" ({', '.join(map(str, bad))})" if isinstance(bad, list) and bad else ""
    return ("usable" if facts["usable"] else "NOT usable") + why


def _download(facts: registry.Facts) -> str:
    if "object" in facts:
        return f"{str(facts['object']).rpartition('/')[2]} ({facts['bytes']:,} bytes) of {_run(facts)}"
    return f"{facts['table']} of {_run(facts)}: {counted(facts['rows'], 'row')}"


def _source(facts: registry.Facts) -> str:
    return f"its copy {facts['subject']}" if facts["subject"] else "the runs' manifests alone"


def _lost(facts: registry.Facts) -> str:
    return f"; lost: at least {counted(facts['lost_entries'], 'entry')}" if facts["lost_entries"] else ""


def _agreed_by(facts: registry.Facts) -> str:
    agreed = facts.get("agreed")
    return f" (agreed: {', '.join(agreed)})" if isinstance(agreed, list) and agreed else ""


def _before(facts: registry.Facts) -> str:
    return f"is {facts.get('present_run') or 'a run of ours'}" if facts["present"] else "was given up"


def _restore_point(facts: registry.Facts) -> str:
    if facts["instead"]:
        return f"by our own run. {facts['instead']}"
    return f"at Supabase as restore point {facts['subject']}."


PHRASES = {
    "run": _run,
    "policy_title": _policy_title,
    "why": _why,
    "usability": _usability,
    "download": _download,
    "source": _source,
    "lost": _lost,
    "agreed_by": _agreed_by,
    "before": _before,
    "restore_point": _restore_point,
}
