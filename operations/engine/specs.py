"""What a kind declares: parameters, consequences and steps. In: values of a domain app. Out: frozen dataclasses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from operations.models import Environment

Parameters = dict[str, Any]
StepFunction = Callable[[Any], None]  # of a StepContext, which is made of a claim, which asks what kinds declare
POOLS = ("export", "prove", "urgent", "deploy")
FROM_PLAN = "from_plan"


@dataclass(frozen=True)
class Consequence:
    """One line of the confirmation page; `tone` is ok, warn, bad or idle."""

    text: str
    tone: str = "idle"


@dataclass(frozen=True)
class Fact:
    """One answer in a few words: a name where an id would stand, with the address of its page; `tone` as above."""

    label: str
    value: str
    url: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Block:
    """What has to be read before a vote and needs room: a template with its context, and as lines for the shell."""

    title: str
    template: str
    context: dict[str, Any]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Parameter:
    """One field of the request form; `choices` is asked per environment, as (value, label). What `suggestions` offers
    alike may be typed otherwise.

    `named` tells what a stored id means: (name, address of its page), both empty where nobody knows it any more.
    `worked_out`: the kind fills it in; no form asks for it, and what is given is not looked at.
    `lines`: a text of several lines, such as a file's content.
    """

    name: str
    label: str = ""
    required: bool = True
    secret: bool = False
    help: str = ""
    lines: bool = False
    choices: Callable[[Environment], Iterable[tuple[str, str]]] | None = None
    suggestions: Callable[[Environment], Iterable[tuple[str, str]]] | None = None
    named: Callable[[Environment, str], tuple[str, str]] | None = None
    worked_out: bool = False


@dataclass(frozen=True)
class StepSpec:
    """One step: what runs, in which pool, and how long it may take (`deadline`) or stand still (`stall`), in seconds.

    An always-step runs at every kind of end, if the step it `undoes` (by default: any earlier one) was started.
    """

    name: str
    run: StepFunction
    pool: str = "export"
    deadline: float = 3600
    stall: float = 120
    always: bool = False
    undoes: str = ""


@dataclass(frozen=True)
class Part:
    """One act of several in an operation, to whose steps it looks as if it had been asked alone.

    `key` stands where the operation's id would be taken for what is made once; `risk` is what this act was voted as.
    """

    number: int
    label: str
    key: str
    risk: str
    parameters: Parameters

    def name(self, step: str) -> str:
        """What a step of this act is called among those of the operation."""
        return f"{self.number} {self.label[:52]}: {step}"


@dataclass(frozen=True)
class Registered:
    """A step that another app registers by name (maintenance mode), resolved when the operation is asked for."""

    name: str
    always: bool = False
    undoes: str = ""


def step(name: str, run: StepFunction, **options: Any) -> StepSpec:
    return StepSpec(name, run, **options)
