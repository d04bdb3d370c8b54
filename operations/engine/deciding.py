"""Which environment decides about an act: of all that it can change something for, the strictest."""

from __future__ import annotations

from operations.engine.kinds import OperationKind, registry
from operations.engine.specs import Parameters
from operations.models import Environment, Operation
from providers.errors import Refused


def deciding(kind: OperationKind, environment: Environment, parameters: Parameters, risk: str) -> Environment:
    """Of all that the act reaches the environment whose votes and people count: the strictest for this risk."""
    reached = {place.pk: place for place in [*kind.reaches(environment, parameters), environment]}
    return strictest(list(reached.values()), risk)


def strictest(places: list[Environment], risk: str) -> Environment:
    """The place whose votes decide; of equals the first."""
    return places[0] if len(places) == 1 else max(places, key=lambda place: (place.votes(risk), place.protected))


def place_of(operation: Operation) -> Environment:
    """The environment that decides about it now; the strictest of all where nobody can tell what it reaches."""
    kind = registry.kinds.get(operation.kind)
    try:
        if kind is None:
            return operation.environment
        return deciding(kind, operation.environment, operation.parameters, operation.risk)
    except Refused:
        return strictest([operation.environment, *Environment.objects.all()], operation.risk)
