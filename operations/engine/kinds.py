"""What a domain app contributes to an operation: a kind with its parameters, risk, consequences and steps.

In: `register(MyKind())` from an AppConfig.ready. Out: `get(name)`; the form, confirmation, approval, queue, progress,
log, cancel, retry, ledger and command line then exist for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.auth.models import AnonymousUser, User

from operations import authority
from operations.engine.specs import FROM_PLAN, Block, Consequence, Fact, Parameter, Parameters, Registered, StepSpec
from operations.models import Environment, Operation, Risk
from operations.votes.signatures import asks_for_factor
from providers.errors import Refused


class OperationKind:
    """Subclass, set the attributes, override what differs; one instance per kind is registered.

    `connects`: which DSNs of the environment it uses (export, migration, restore), and `project` for its Supabase
    project. Whatever connects is bound to the database that they lead to when it is asked."""

    name: str
    label: str
    about: str = ""  # one sentence: what it does, in the words of whoever looks for it
    permission: str
    risk: Risk | str = Risk.ROUTINE
    exclusive: str = ""
    subject: str = ""  # what it acts on, of its parameters as `exclusive` is
    connects: tuple[str, ...] = ()
    steps: list[StepSpec | Registered] = []
    parameters: list[Parameter] = []
    allowed_in_freeze: bool = True
    restores_service: bool = False
    needs_device: bool = False
    needs_reason: bool = False
    asks_something: bool = False  # each parameter may be empty, but not all of them: an untouched form is no refusal
    step_up: bool = False  # whoever asks for it, or votes for it, shows a second factor for exactly that
    protects: bool = False  # it copies, keeps or brings back: whoever refuses or stops it shows one too
    everywhere: bool = False  # its act is not bound to the environment that the form names
    also_needs: tuple[str, ...] = ()  # further permissions of whoever asks

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        """The parameters as they will be stored; raise Refused where they make no sense."""
        return parameters

    def connections(self, parameters: Parameters) -> tuple[str, ...]:
        """Which of these exactly this act uses."""
        return self.connects

    def content(self, environment: Environment, parameters: Parameters) -> bytes:
        """Whatever else the votes bind besides the parameters (SQL and its plan); recomputed at the claim."""
        return b""

    def why_changed(self, environment: Environment, parameters: Parameters) -> str:
        """Why `content` may differ from what was asked, as a sentence; empty where nobody can tell."""
        return ""

    def assess(self, environment: Environment, parameters: Parameters) -> str:
        """The risk of exactly this act; recomputed at the claim."""
        if self.risk == FROM_PLAN:
            raise NotImplementedError(f"{self.name} takes its risk from a plan and must say how")
        return str(self.risk)

    def objection(self, operation: Operation) -> str:
        """What speaks against any vote for it as things stand, as a sentence; a refusal is always possible."""
        return ""

    def asked_of(self, environment: Environment) -> Environment | None:
        """For which environment whoever asks must hold the permission; None: for all of them."""
        return None if self.everywhere else environment

    def why_not(self, person: User | AnonymousUser, environment: Environment | None, otherwise: str) -> str:
        """Which of the permissions that it needs this person lacks there, as a sentence; nothing for who may ask."""
        place = self.asked_of(environment) if environment else None
        needed = (self.permission, *self.also_needs)
        return next(filter(None, (authority.why_not(person, each, place, otherwise) for each in needed)), "")

    def for_anywhere(self, person: User | AnonymousUser) -> bool:
        """Whether there is an environment for which this person may ask for it."""
        somewhere = authority.holds_somewhere(person, self.permission, *self.also_needs)
        return somewhere if not self.everywhere else not self.why_not(person, None, "no")

    def reaches(self, environment: Environment, parameters: Parameters) -> list[Environment]:
        """Every environment that the act can change something for; the strictest of them decides about votes."""
        return list(Environment.objects.all()) if self.everywhere else [environment]

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        """What the confirmation page says will happen, in the order a person should read it."""
        return []

    def shown(self, environment: Environment, parameters: Parameters) -> list[Fact | Block]:
        """What decides a vote: answers in a few words, and what has to be read (SQL, commits, differences)."""
        return []

    def describe(self, parameters: Parameters) -> str:
        """What it acts on, in a few words."""
        return self.subject.format_map(defaultdict(str, parameters)) or ", ".join(map(str, parameters.values()))

    def secrets(self) -> list[str]:
        """The names of the parameters that are sealed before a row is written."""
        return [parameter.name for parameter in self.parameters if parameter.secret]

    def exclusive_key(self, environment: Environment, parameters: Parameters) -> str:
        return self.exclusive.format(environment=environment.slug, **parameters) if self.exclusive else ""

    def confirm_text(self, environment: Environment, parameters: Parameters) -> str:
        """What a person types before a destructive act."""
        return f"{environment.slug}/{self.describe(parameters)}"

    def succeeded(self, result: Mapping[str, Any]) -> bool:
        """Whether `ops request --wait` exits 0 for a succeeded operation with this result."""
        return True

    def steps_of(self, parameters: Parameters) -> list[StepSpec | Registered]:
        """The steps of exactly this act; the same ones whenever they are asked for."""
        return self.steps

    def resolved_steps(self, parameters: Parameters) -> list[StepSpec]:
        """The steps with every registered name replaced; raise Refused where an app did not register one."""
        return [_resolve(declared) for declared in self.steps_of(parameters)]


@dataclass
class Registry:
    """What apps fill in from AppConfig.ready, so that no import goes backwards (docs/design.md 2)."""

    kinds: dict[str, OperationKind] = field(default_factory=dict)
    factories: dict[str, StepSpec] = field(default_factory=dict)
    consequences: dict[str, list[Callable[..., list[Consequence]]]] = field(default_factory=dict)
    guards: dict[str, list[Callable[..., None]]] = field(default_factory=dict)
    looks: dict[str, list[Callable[..., None]]] = field(default_factory=dict)


registry = Registry()


def register(kind: OperationKind) -> None:
    registry.kinds[kind.name] = kind
    (asks_for_factor.add if kind.step_up else asks_for_factor.discard)(kind.name)


def register_step(name: str, spec: StepSpec) -> None:
    """Offer `spec` to other apps' kinds under `name` (used with `Registered(name)`)."""
    registry.factories[name] = spec


def consequences(kind: str, tell: Callable[..., list[Consequence]]) -> None:
    """Add lines to another app's confirmation page: `tell(environment, parameters) -> list[Consequence]`."""
    registry.consequences.setdefault(kind, []).append(tell)


def guards(kind: str, check: Callable[..., None]) -> None:
    """Let another app refuse an operation: `check(environment, parameters)` raises Refused."""
    registry.guards.setdefault(kind, []).append(check)


def looks(kind: str, look: Callable[..., None]) -> None:
    """Let another app look outside before a guard judges: `look(environment, parameters)` may wait for a stranger.

    It runs in workers and in the shell, never for a page."""
    registry.looks.setdefault(kind, []).append(look)


def look_outside(kind: str, environment: Environment, parameters: Parameters) -> None:
    for look in registry.looks.get(kind, []):
        look(environment, parameters)


def get(name: str) -> OperationKind:
    """The kind registered as `name`; raise Refused with the known names."""
    try:
        return registry.kinds[name]
    except KeyError:
        known = ", ".join(sorted(registry.kinds)) or "none"
        raise Refused(f"There is no operation {name!r}; nothing was requested. Known: {known}.") from None


def all_consequences(kind: OperationKind, environment: Environment, parameters: Parameters) -> list[Consequence]:
    """The kind's own lines and those that other apps add."""
    lines = list(kind.consequences(environment, parameters))
    for tell in registry.consequences.get(kind.name, []):
        lines.extend(tell(environment, parameters))
    return lines


def _resolve(declared: StepSpec | Registered) -> StepSpec:
    if isinstance(declared, StepSpec):
        return declared
    spec = registry.factories.get(declared.name)
    if spec is None:
        raise Refused(f"Its step {declared.name!r}: no installed part provides it. Nothing was requested.")
    always, undoes = declared.always or spec.always, declared.undoes or spec.undoes
    return replace(spec, name=declared.name, always=always, undoes=undoes)
