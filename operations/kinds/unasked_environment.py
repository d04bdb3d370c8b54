"""An environment that nobody asked for: seen at a provider or in a store, it is as strict as the strictest known one.

In: what it is called there, and who saw it. Out: the row, new or known; with a new one a ledger entry and a message to
the approvers. What is known already is not touched: `environments.change` relaxes it, with the votes of that.
"""

from __future__ import annotations

from django.db import transaction

from operations import audit as operations_audit
from operations.models import Environment, Risk


def seen(slug: str, *, name: str, kind: str, by: str) -> tuple[Environment, bool]:
    """The environment of this slug, and whether it is new."""
    known = Environment.objects.named(slug).first()
    if known is not None:
        return known, False
    with transaction.atomic():
        given = {"name": name, "kind": kind, "protected": True, **_strictest_votes()}
        row, new = Environment.objects.get_or_create(slug=slug, defaults=given)
        if new:
            lines = ["Nobody asked for it, so it asks for as many votes as the strictest one that is known."]
            operations_audit.tell_approvers(row, f"{by} shows an environment that is new: {row}", lines)
            operations_audit.note(None, row, by=by)
    return row, new


def _strictest_votes() -> dict[str, int]:
    """By field, where some environment asks for more than the default."""
    unset = Environment(protected=True)
    known = list(Environment.objects.of_the_product())
    most = {risk: max((row.own_votes(risk) for row in known), default=0) for risk in Risk.values}
    return {f"votes_{risk}": votes for risk, votes in most.items() if votes > unset.own_votes(risk)}
