"""Which environments an act reaches, and which of them decides: of all that it can change something for, the strictest.

Out: places, the deciding one first. How many votes it needs is that one's matter; who votes must hold the role in each.
"""

from __future__ import annotations

from collections.abc import Iterable

from operations.engine.kinds import OperationKind, registry
from operations.engine.specs import Parameters
from operations.models import Environment, Operation
from providers.errors import Refused


def deciding(kind: OperationKind, environment: Environment, parameters: Parameters, risk: str) -> Environment:
    """Of all that the act reaches the environment whose votes count: the strictest for this risk."""
    return _strictest_first([environment, *kind.reaches(environment, parameters)], risk)[0]


def _strictest_first(places: Iterable[Environment], risk: str) -> list[Environment]:
    """Each place once; of equally strict ones the first stays first."""
    each = list({place.pk: place for place in reversed(list(places))}.values())[::-1]
    if len(each) == 1:
        return each
    return sorted(each, key=lambda place: (place.votes(risk), place.protected), reverse=True)


def places_of(operation: Operation) -> list[Environment]:
    """What it reaches now, the deciding one first; all environments where nobody can tell."""
    kind, where = registry.kinds.get(operation.kind), operation.environment
    try:
        reached = kind.reaches(where, operation.parameters) if kind is not None else []
    except Refused:
        reached = list(Environment.objects.all())
    return _strictest_first([where, *reached], operation.risk)
