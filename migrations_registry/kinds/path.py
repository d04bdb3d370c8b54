"""`migrations.path`: everything that stands before a file, and the file, as one request with the strictest act's votes.

Each act is asked, bound, checked anew at its turn, journaled and undone as if it had been asked alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from migrations_registry.kinds.apply import KEPT, files_here, find
from migrations_registry.kinds.apply_shown import file_named
from migrations_registry.models.applied import PATH
from migrations_registry.path.acts import Act, asked, digest, strictest
from migrations_registry.path.steps import steps_of
from migrations_registry.path.way import Judged, way_to
from migrations_registry.services.rehearsals import newest_rehearsal, why_not_approve
from migrations_registry.undo.keep_choice import KEEP
from operations.engine import kinds
from operations.engine.kinds import OperationKind
from operations.engine.specs import (
    FROM_PLAN,
    Block,
    Consequence,
    Fact,
    Parameter,
    Parameters,
    Registered,
    StepSpec,
)
from operations.models import Environment, Operation

TONES = {"destructive": "bad", "sensitive": "warn"}
LOST = "Will be lost"
STREAMS = Parameter(
    "streams",
    "Other streams",
    required=False,
    choices=lambda _: [("all", "Their earlier files too")],
    help="Empty: only the stream of this file.",
)


def is_every(parameters: Parameters) -> bool:
    """Whether the other streams' earlier files come first too."""
    return parameters.get(STREAMS.name) == "all"


class ApplyPath(OperationKind):
    """`file` is where the path ends; the acts are worked out when it is asked for, and stay as people saw them."""

    name = PATH
    label = "Baseline and apply up to a migration"
    about = "Baselines streams, applies the files before one and then the file, each act checked at its turn."
    permission = "migrations_registry.apply_migrationfile"
    also_needs = ("migrations_registry.baseline_stream",)
    risk = FROM_PLAN
    connects = ("export", "migration")
    exclusive = "schema:{environment}"
    allowed_in_freeze = False
    parameters = [
        Parameter("file", "Up to and with", choices=files_here, help="A registered content.", named=file_named),
        STREAMS,
        Parameter("as_applied", "Count as applied", required=False, help="Files that only you can judge, by comma."),
        Parameter("as_not_applied", "Count as not applied", required=False, help="The same, for those not applied."),
        KEPT,
        Parameter("acts", "Acts", required=False, worked_out=True),
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        given = {name: value for name, value in parameters.items() if name != "acts"}
        file = find(str(parameters["file"]), environment)
        judged = Judged(_names(given.get("as_applied")), _names(given.get("as_not_applied")))
        legs = way_to(file, environment, judged, every_stream=is_every(given), keep=str(given.get(KEEP, "")))
        return {**given, "file": file.sha256, "acts": [asked(environment, leg) for leg in legs]}

    def content(self, environment: Environment, parameters: Parameters) -> bytes:
        acts = _acts(parameters)
        return "\n".join(digest(environment, act["kind"], act["parameters"]) for act in acts).encode()

    def why_changed(self, environment: Environment, parameters: Parameters) -> str:
        said = (kinds.get(act["kind"]).why_changed(environment, act["parameters"]) for act in _acts(parameters))
        return next(filter(None, said), "")

    def assess(self, environment: Environment, parameters: Parameters) -> str:
        return strictest([kinds.get(act["kind"]).assess(environment, act["parameters"]) for act in _acts(parameters)])

    def objection(self, operation: Operation) -> str:
        files = [act["parameters"]["file"] for act in _acts(operation.parameters) if "file" in act["parameters"]]
        rows = (newest_rehearsal(find(sha256, operation.environment), operation.environment) for sha256 in files)
        why = (f"{row.file.name}: {why_not_approve(row, operation.requested_by.username)}" for row in rows if row)
        return next((text for text in why if not text.endswith(": ")), "")

    def steps_of(self, parameters: Parameters) -> list[StepSpec | Registered]:
        return steps_of(_acts(parameters))

    def describe(self, parameters: Parameters) -> str:
        acts = _acts(parameters)
        last = acts[-1]["label"] if acts else str(parameters.get("file", ""))[:12]
        return f"{last} and {len(acts) - 1} before it" if len(acts) > 1 else last

    def confirm_text(self, environment: Environment, parameters: Parameters) -> str:
        return f"{environment.slug}/{_acts(parameters)[-1]['label']}"

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        acts = _acts(parameters)
        lines = [
            Consequence(
                f"{len(acts)} acts, in this order: {', then '.join(act['label'] for act in acts)}. Each is checked "
                "anew at its turn. If one fails, the rest is not begun and what was done before stays.",
            )
        ]
        for number, act in enumerate(acts, 1):
            own = kinds.get(act["kind"]).consequences(environment, act["parameters"])
            lines += [replace(line, text=f"{number} {act['label']}: {line.text}") for line in own]
        return lines

    def shown(self, environment: Environment, parameters: Parameters) -> list[Fact | Block]:
        """What goes, of all acts together; then each act with its answers and its SQL."""
        acts = _acts(parameters)
        parts = [kinds.get(act["kind"]).shown(environment, act["parameters"]) for act in acts]
        goes = [fact.value for fact in _facts(parts) if fact.label == LOST and fact.tone == "bad"]
        total = Fact(LOST, "; ".join(goes), tone="bad") if goes else Fact(LOST, "nothing", tone="ok")
        answers = [_answer(number, act, own) for number, (act, own) in enumerate(zip(acts, parts, strict=True), 1)]
        blocks = [
            replace(part, title=f"{number} {act['label']}: {part.title}")
            for number, (act, own) in enumerate(zip(acts, parts, strict=True), 1)
            for part in own
            if isinstance(part, Block)
        ]
        return [total, *answers, *blocks]


def _facts(parts: list[list[Fact | Block]]) -> list[Fact]:
    return [part for own in parts for part in own if isinstance(part, Fact)]


def _answer(number: int, act: Act, own: list[Fact | Block]) -> Fact:
    """One act in a line: its risk, and what speaks for or against it."""
    said = [f"{fact.label.lower()}: {fact.value}" for fact in _facts([own])]
    return Fact(f"{number} {act['label']}", "; ".join([act["risk"], *said]), tone=TONES.get(act["risk"], "ok"))


def _acts(parameters: Parameters) -> list[Act]:
    return list(parameters.get("acts") or [])


def _names(given: Any) -> tuple[str, ...]:
    return tuple(name.strip() for name in str(given or "").split(",") if name.strip())
