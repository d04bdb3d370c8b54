"""What evidence adds: kinds, sentences of the timeline, links. Called once when the apps are ready."""

from __future__ import annotations

from backups.evidence.kinds import Evidence, TraceDecision
from ledger.models import Entry
from ledger.registry import sentence
from operations import navigation
from operations.engine import kinds
from operations.navigation import NavLink


def register() -> None:
    kinds.register(Evidence())
    kinds.register(TraceDecision())
    url, permission = "admin:backups_evidencereport_changelist", "backups.view_evidencereport"
    navigation.register(NavLink("Watch", 78, "Evidence", url, permission))


@sentence("backups.evidence.produced")
def _produced(entry: Entry) -> str:
    data = entry.payload
    period = " to ".join(str(data[name])[:10] for name in ("from", "to"))
    return f"{entry.actor} produced the evidence report {period}: {data['verdict']}."


@sentence("backups.decision.traced")
def _traced(entry: Entry) -> str:
    data = entry.payload
    return f"{entry.actor} traced decision {data['sequence']} of {entry.subject} through {data['runs']} runs."
