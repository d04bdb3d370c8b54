"""What the shell prints of operations and kinds: the same as their pages. In: rows and kinds. Out: lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.conf import settings

from operations.approvals.decision import Decision, decision_of
from operations.approvals.voting import typed_for
from operations.engine.deciding import places_of
from operations.engine.kinds import OperationKind
from operations.models import Environment, Operation, Status
from operations.navigation import page_of
from operations.votes.judge import every_vote, needed
from providers.answers import columns

NEXT = {
    Status.AWAITING_APPROVAL: "Next: others vote, there or by `ops approve {pk}`; `ops cancel {pk}` takes it back.",
    Status.QUEUED: "Next: a worker takes it; follow it with `ops show {pk}`.",
    Status.RUNNING: "Next: follow it with `ops show {pk}`, or stop it at its next border with `ops cancel {pk}`.",
    Status.FAILED: "Next: read the reason above; `ops retry {pk}` asks for the same again.",
    Status.EXPIRED: "Next: `ops retry {pk}` asks for the same again.",
}


def operation(row: Operation) -> list[str]:
    """Who asks what and why, the answers that decide, votes, steps, result, its page and what one can do next."""
    decision = decision_of(row)
    lines = [f"{row.pk}  {row.status}  {row} on {row.environment}", f"  {_asked_by(row)}"]
    lines += [f"  {fact.label}: {fact.value}" for fact in (*decision.asked, *decision.answers)]
    lines += _blocks(decision) + _votes(row)
    lines += [f"  {line}" for line in columns((step.status, step.name, step.error) for step in row.steps.all())]
    lines += [f"  what it does: {line.text}" for line in decision.consequences]
    return [*lines, *_end(row)]


def _asked_by(row: Operation) -> str:
    reason = f": {row.reason}" if row.reason else ", without a reason"
    return f"{row.risk}, asked by {row.requested_by} at {row.requested_at:%Y-%m-%d %H:%M} UTC{reason}"


def _blocks(decision: Decision) -> list[str]:
    return [line for block in decision.blocks for line in (f"  {block.title}:", *(f"    {one}" for one in block.lines))]


def _votes(row: Operation) -> list[str]:
    places = places_of(row)
    wanted = needed(row, places) if row.status == Status.AWAITING_APPROVAL else row.approvals_required
    votes = [(vote, why_not) for vote, why_not in every_vote(row, places) if not vote.revoked_at]
    lines = [
        f"    {vote.approved_by}: {vote.decision}, {vote.approved_at:%Y-%m-%d %H:%M}"
        + (f", does not count: {why_not}" if why_not else "")
        + (f", “{vote.comment}”" if vote.comment else "")
        for vote, why_not in votes
    ]
    counting = sum(1 for vote, why_not in votes if vote.decision == "approve" and not why_not)
    expiry = f", expires {row.expires_at:%Y-%m-%d %H:%M} UTC" if row.status == Status.AWAITING_APPROVAL else ""
    return [f"  {counting} of {wanted} vote{'' if wanted == 1 else 's'}{expiry}", *lines] if wanted or votes else []


def _end(row: Operation) -> list[str]:
    lines = [f"tried again at {row.due_at:%H:%M:%S} UTC"] if row.due_at and not row.terminal else []
    lines += [f"{name}: {value}" for name, value in row.result.items() if isinstance(value, str | int | float)]
    if row.error and row.error not in [step.error for step in row.steps.all()]:
        lines.append(row.error)
    page = page_of(row)
    return [*lines, settings.OPS_BASE_URL.rstrip("/") + page, *_next(row)]


def _next(row: Operation) -> list[str]:
    following = NEXT.get(Status(row.status), "").format(pk=row.pk)
    typed = typed_for(row) if row.status == Status.AWAITING_APPROVAL else ""
    return [f"{following} Whoever approves types {typed}." if typed else following] if following else []


def listed(rows: Sequence[Operation]) -> list[str]:
    """One line an operation."""
    heads = ("ID", "REQUESTED", "BY", "STATUS", "ENVIRONMENT", "OPERATION")
    cells = [
        (row.pk, f"{row.requested_at:%Y-%m-%d %H:%M}", row.requested_by, row.status, row.environment, row)
        for row in rows
    ]
    return columns([heads, *cells])


def kinds(known: Iterable[OperationKind]) -> list[str]:
    """Name, risk and purpose of each kind."""
    return columns([("KIND", "RISK", "WHAT IT DOES"), *((kind.name, _risk(kind), kind.about) for kind in known)])


def parameters(kind: OperationKind, environment: Environment | None) -> list[str]:
    """What `--set` takes for this kind; with an environment, also what there is to choose from."""
    lines = [f"{kind.name}: {kind.about} Risk: {_risk(kind)}. Whoever asks needs {kind.permission}."]
    for parameter in kind.parameters:
        if parameter.worked_out:
            continue
        what = "optional" if not parameter.required else "needed"
        label = parameter.label or parameter.name
        lines.append(f"  --set {parameter.name}=…  {label}, {what}. {parameter.help}".rstrip())
        offered = parameter.choices or parameter.suggestions
        if offered and environment:
            lines += [f"      {line}" for line in columns(offered(environment))]
    lines += ["  --reason TEXT  needed" if kind.needs_reason else "  --reason TEXT"]
    choices = "" if environment else " --environment E lists the values to choose from."
    return [*lines, f"A secret is never given on a command line.{choices}" if kind.secrets() else choices.strip()]


def _risk(kind: OperationKind) -> str:
    return "by its plan" if kind.risk == "from_plan" else str(kind.risk)
