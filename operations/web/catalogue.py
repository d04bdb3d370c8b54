"""What can be requested, as a person looks for it: by subject, with its risk and how many vote on it in production."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.contrib.auth.models import AnonymousUser, User

from operations.engine import kinds
from operations.engine.specs import FROM_PLAN
from operations.models import Risk
from operations.navigation import page_of_request

SUBJECTS = {
    "deployments": "Services and deploys",
    "migrations": "Migrations",
    "backups": "Backups and audit data",
    "environments": "Environments",
    "operations": "Environments",
    "rehearsal": "Rehearsals of the demo",
}
VOTES = {
    Risk.ROUTINE: "nobody: it starts at once",
    Risk.SENSITIVE: "one other person",
    Risk.DESTRUCTIVE: "two other people",
    FROM_PLAN: "as many as its plan asks for",
}


@dataclass(frozen=True)
class Entry:
    kind: kinds.OperationKind
    url: str
    risk: str
    votes: str


@dataclass
class Group:
    """`others` is what this person may look at but not ask for."""

    title: str
    mine: list[Entry] = field(default_factory=list)
    others: list[Entry] = field(default_factory=list)


def groups(person: User | AnonymousUser) -> list[Group]:
    """In the order of the subjects; within one by label."""
    made = {title: Group(title) for title in dict.fromkeys(SUBJECTS.values())}
    for kind in sorted(kinds.registry.kinds.values(), key=lambda kind: kind.label):
        title = SUBJECTS.get(kind.name.partition(".")[0], "Other")
        group = made.setdefault(title, Group(title))
        (group.mine if kind.for_anywhere(person) else group.others).append(_entry(kind))
    return [group for group in made.values() if group.mine or group.others]


def _entry(kind: kinds.OperationKind) -> Entry:
    risk = "" if kind.risk == FROM_PLAN else str(kind.risk)
    return Entry(kind, page_of_request(kind.name), risk, VOTES[kind.risk])
