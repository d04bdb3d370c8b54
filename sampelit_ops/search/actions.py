"""What can be done, found by its words: "roll back api", "export now", "set JWT_SECRET".

In: a person and the words. Out: links to the confirmation page of each kind that fits, filled in as
far as the words say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q

from backups.models import Policy
from deployments.models import ConfigFingerprint, Service
from operations.engine import kinds
from operations.models import Environment
from operations.navigation import page_of_request

MOST = 8
FILLERS = frozenset(["a", "an", "the", "of", "on", "to", "in", "now", "for", "from", "please", "with"])
# What people say for it besides the kind's own name and label.
ALSO = {
    "backups.export": "backup back up copy dump snapshot",
    "backups.restore": "recover get back",
    "backups.provider_pitr": "pitr recover time travel",
    "deployments.deploy": "ship release publish",
    "deployments.rollback": "revert undo previous rollback",
    "deployments.set_variable": "env environment variable config secret change",
    "deployments.delete_variable": "env environment variable remove",
    "deployments.maintenance": "503 off on down",
    "deployments.restart": "reboot kick",
    "deployments.scale": "instances resize",
    "deployments.suspend": "stop pause",
    "deployments.resume": "start continue",
    "environments.change": "freeze unfreeze protect edit",
    "migrations.apply": "run sql migrate",
    "migrations.undo": "revert roll back",
}


@dataclass(frozen=True)
class Action:
    label: str
    url: str


@dataclass(frozen=True)
class _Subject:
    """What a word of the query names: its environment and the parameters that it fills."""

    words: str
    name: str
    environment: Environment
    values: dict[str, str] = field(default_factory=dict)


def actions(user: User | AnonymousUser, query: str) -> list[Action]:
    """The kinds whose words were typed and that this person may ask for, each with what the other words name."""
    tokens = [token for token in query.lower().split() if token not in FILLERS]
    fitting = [
        (kind, rest, len(tokens) - len(rest))
        for kind in kinds.registry.kinds.values()
        if len(rest := _rest(kind, tokens)) < len(tokens) and kind.for_anywhere(user)
    ]
    if not fitting:
        return []
    most = max(hits for *_, hits in fitting)
    subjects = _subjects(tokens)
    found = [
        (_closeness(kind, tokens), action)
        for kind, rest, hits in fitting
        if hits == most
        for action in _actions(kind, rest, [one for one in subjects if not kind.why_not(user, one.environment, "no")])
    ]
    return [action for _, action in sorted(found, key=lambda pair: pair[0])][:MOST]


def _rest(kind: kinds.OperationKind, tokens: list[str]) -> list[str]:
    """The words that are not the kind's own; what remains must name something."""
    own = _words(kind)
    return [token for token in tokens if not any(word.startswith(token) for word in own)]


def _words(kind: kinds.OperationKind) -> list[str]:
    text = f"{kind.name.partition('.')[2]} {kind.label} {ALSO.get(kind.name, '')}"
    return [word for word in text.lower().replace("_", " ").split() if word not in FILLERS]


def _closeness(kind: kinds.OperationKind, tokens: list[str]) -> tuple[bool, int]:
    """Smaller is nearer: words of the label before others, then the shorter label."""
    label = kind.label.lower().split()
    return not any(word.startswith(token) for token in tokens for word in label), len(label)


def _subjects(tokens: list[str]) -> list[_Subject]:
    """What words can name: services, policies and variables by their names, each environment; four queries."""
    services = Service.objects.filter(removed_at=None).exclude(environment=None).select_related("environment")
    policies = Policy.objects.filter(enabled=True).select_related("environment")
    keys = Q(*(("key__iexact", token) for token in tokens), _connector=Q.OR)
    variables = ConfigFingerprint.objects.filter(keys).exclude(service__environment=None)
    return [
        *(_subject(row.name, row.environment, service=row.render_id) for row in services.order_by(*_FIRST)),
        *(_subject(row.name, row.environment, policy=row.name) for row in policies.order_by(*_FIRST)),
        *map(_variable, variables.select_related("service__environment").order_by("service__name")[:MOST]),
        *(_subject("", environment) for environment in Environment.objects.all()),
    ]


def _variable(row: ConfigFingerprint) -> _Subject:
    service = row.service
    return _subject(f"{row.key} of {service}", service.environment, service=service.render_id, key=row.key)


_FIRST = ("-environment__protected", "name")


def _subject(name: str, environment: Environment | None, **values: str) -> _Subject:
    assert environment is not None  # noqa: S101 - rows without one are not asked for
    return _Subject(f"{name} {environment}".strip().lower(), name, environment, values)


def _actions(kind: kinds.OperationKind, rest: list[str], subjects: Iterable[_Subject]) -> list[Action]:
    """The kind alone where no word is left; with each subject that every such word names, the fullest ones."""
    takes = {parameter.name for parameter in kind.parameters}
    fits = [one for one in subjects if set(one.values) <= takes and all(token in one.words for token in rest)]
    most = max((len(one.values) for one in fits), default=0)
    if not rest and (most != 1 or not takes & {"service", "policy"}):
        return [_action(kind, None)]
    return [_action(kind, one) for one in fits if len(one.values) == (most if rest else 1)]


def _action(kind: kinds.OperationKind, subject: _Subject | None) -> Action:
    if subject is None:
        return Action(kind.label, page_of_request(kind.name))
    label = f"{kind.label}: {subject.name} on" if subject.name else f"{kind.label} on"
    address = page_of_request(kind.name, environment=subject.environment.slug, **subject.values)
    return Action(f"{label} {subject.environment}", address)
