"""What backups add to the ledger: sentences for the timeline, and anchors read from the manifests in the store."""

from __future__ import annotations

from ledger.models import Entry
from ledger.registry import sentence
from operations import audit as operations_audit


def register() -> None:
    """Importing this module registers the rest; the call adds what people edit."""
    operations_audit.speak("backups.policy", "policy")


@sentence("backups.export.stored")
def _stored(entry: Entry) -> str:
    return f"Run {entry.subject} of {entry.payload['policy']} stored: {entry.payload['rows']} rows, not yet proven."


@sentence("backups.export.proven")
def _proven(entry: Entry) -> str:
    return f"Run {entry.subject} of {entry.payload['policy']} proven by a restore of {entry.payload['rows']} rows."


@sentence("backups.export.suspect")
def _suspect(entry: Entry) -> str:
    return f"Run {entry.subject} of {entry.payload['policy']} is suspect: {_reasons(entry)}"


@sentence("backups.export.failed")
def _failed(entry: Entry) -> str:
    return f"Run {entry.subject} of {entry.payload['policy']} failed: {_reasons(entry)}"


@sentence("backups.store.probed")
def _probed(entry: Entry) -> str:
    bad = entry.payload.get("bad")
    why = f" ({', '.join(str(name) for name in bad)})" if isinstance(bad, list) and bad else ""
    return f"The store {entry.subject} was probed: {'usable' if entry.payload['usable'] else 'NOT usable'}{why}."


def _reasons(entry: Entry) -> str:
    reasons = entry.payload.get("reasons")
    return " ".join(str(item) for item in reasons) if isinstance(reasons, list) else str(entry.payload.get("reason"))


@sentence("backups.restore.succeeded")
def _restored(entry: Entry) -> str:
    return f"{entry.actor} restored run {entry.subject} into {entry.payload['target']}: {entry.payload['rows']} rows."


@sentence("backups.restore.failed")
def _not_restored(entry: Entry) -> str:
    return f"The restore of run {entry.subject} into {entry.payload['target']} failed: {entry.payload['reason']}"


@sentence("backups.policy.database_accepted")
def _accepted(entry: Entry) -> str:
    return f"{entry.actor} accepted another database for policy {entry.subject} of {entry.environment}."


@sentence("backups.slot.missed")
def _missed(entry: Entry) -> str:
    return f"The slot of {entry.payload['at']} of {entry.subject} was missed. {entry.payload['reason']}"


@sentence("backups.slot.acknowledged")
def _acknowledged(entry: Entry) -> str:
    return f"{entry.actor} acknowledged red slots of {entry.subject}."


@sentence("backups.run.mirrored")
def _mirrored(entry: Entry) -> str:
    return f"Run {entry.subject} of {entry.payload['policy']} is complete in the second store."


@sentence("backups.run.downloaded")
def _downloaded(entry: Entry) -> str:
    data = entry.payload
    if "object" in data:
        return f"{entry.actor} downloaded {data['object']} ({data['bytes']} bytes) of run {entry.subject}."
    return f"{entry.actor} downloaded {data['table']} of run {entry.subject}: {data['rows']} rows."


@sentence("backups.runs.retired")
def _retired(entry: Entry) -> str:
    return f"Retention of {entry.subject} retired {entry.payload['count']} runs; their data stays for seven days."


@sentence("backups.run.purged")
def _purged(entry: Entry) -> str:
    count, policy = entry.payload["objects"], entry.payload["policy"]
    return f"Retention deleted the data of run {entry.subject} of {policy} ({count} objects), not its proofs."


@sentence("backups.run.brought_back")
def _brought_back(entry: Entry) -> str:
    return f"{entry.actor} brought run {entry.subject} back; retention leaves it alone for 30 days."


@sentence("backups.portal.recovered")
def _recovered(entry: Entry) -> str:
    lost = entry.payload["lost_entries"]
    source = f"its copy {entry.subject}" if entry.subject else "the runs' manifests alone"
    return f"The portal was brought back from {source}" + (f"; at least {lost} entries are lost." if lost else ".")


@sentence("backups.witness.sent")
def _witnessed(entry: Entry) -> str:
    return f"The signed head of {entry.payload['size']} entries and {entry.payload['runs']} runs went to the witness."
