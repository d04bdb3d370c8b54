"""What an operation asks for, as people decide on it: one answer for its page, the page of a vote, mails and the shell.

In: an operation. Out: parameters by name, the answers and parts that its kind shows, and its consequences.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from operations.engine.kinds import registry
from operations.engine.sealing import MARK
from operations.engine.specs import Block, Consequence, Fact, Parameter
from operations.models import Environment, Operation
from operations.serializers import consequences_of
from providers.errors import ProviderError, Refused

_DIGEST = re.compile(r"[0-9a-f]{40,}")


@dataclass(frozen=True)
class Decision:
    """`answers` and `blocks` are of what may still happen; what is over has its result instead."""

    asked: list[Fact]
    answers: list[Fact]
    blocks: list[Block]
    consequences: list[Consequence]

    @property
    def loses(self) -> bool:
        """Whether an answer says that something goes."""
        return any(fact.label == "Will be lost" and fact.tone == "bad" for fact in self.answers)


def decision_of(operation: Operation) -> Decision:
    """Everything; what cannot be told just now is said among the consequences."""
    asked = asked_of(operation)
    if operation.terminal:
        return Decision(asked, [], [], [])
    shown = _shown(operation)
    answers = [part for part in shown if isinstance(part, Fact)]
    blocks = [part for part in shown if isinstance(part, Block)]
    return Decision(asked, answers, blocks, consequences_of(operation))


def asked_of(operation: Operation) -> list[Fact]:
    """The parameters by label and name; no digest or id of ours stands where a name is known."""
    kind = registry.kinds.get(operation.kind)
    known = {parameter.name: parameter for parameter in kind.parameters} if kind else {}
    return [
        _fact(known.get(name) or Parameter(name), value, operation.environment)
        for name, value in operation.parameters.items()
        if value not in ("", [], None) and not (name in known and known[name].worked_out)
    ]


def _shown(operation: Operation) -> list[Fact | Block]:
    kind = registry.kinds.get(operation.kind)
    try:
        return kind.shown(operation.environment, operation.parameters) if kind else []
    except (Refused, ProviderError):
        return []  # the consequences meet the same and say it


def _fact(parameter: Parameter, value: Any, environment: Environment) -> Fact:
    label = parameter.label or parameter.name.replace("_", " ").capitalize()
    if parameter.secret or str(value).startswith(MARK):
        return Fact(label, "sealed; nobody can read it here")
    name, page = parameter.named(environment, str(value)) if parameter.named else ("", "")
    return Fact(label, name or _plain(parameter, value, environment), page)


def _plain(parameter: Parameter, value: Any, environment: Environment) -> str:
    """A chosen value by its label; a list by commas; a digest that has no name by its beginning."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if parameter.choices is not None and parameter.named is None:
        return dict(parameter.choices(environment)).get(str(value), str(value))
    return f"{value[:12]}…" if isinstance(value, str) and _DIGEST.fullmatch(value) else str(value)
