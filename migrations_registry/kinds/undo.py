"""`migrations.undo`: what an applied migration destroyed is brought back; what was made or added since stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from migrations_registry.drift import detect as drift_detect
from migrations_registry.models import Application
from migrations_registry.undo.known import Known, known
from migrations_registry.undo.losses import TableLoss
from migrations_registry.undo.steps import bring_back
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from operations.navigation import page_of
from providers.errors import ProviderError, Refused

SHOWN = 25


def applications_here(environment: Environment) -> Iterable[tuple[str, str]]:
    """The newest first."""
    rows = Application.objects.filter(environment=environment, status="applied", undone_by="").select_related("file")
    for row in rows.defer("file__content").order_by("-started_at")[:50]:
        yield row.operation, _title(row)


def _named(environment: Environment, operation: str) -> tuple[str, str]:
    """An application that is undone by now has its name all the same."""
    rows = Application.objects.filter(environment=environment, operation=operation).select_related("file")
    row = rows.defer("file__content").first()
    return (_title(row), page_of(row)) if row else ("", "")


def _title(row: Application) -> str:
    return f"{row.file.name}, applied {row.started_at:%Y-%m-%d %H:%M}"


def find_application(environment: Environment, operation: str) -> Application:
    """The application of that operation. Raises Refused."""
    rows = Application.objects.select_related("file", "environment", "schema_before", "schema_after")
    row = rows.filter(environment=environment, operation=operation).first()
    if row is None:
        raise Refused(f"No migration was applied to {environment} by operation {operation!r}. Nothing was requested.")
    return row


class Undo(OperationKind):
    """As grave as what it takes back: old values replace what is there."""

    name = "migrations.undo"
    about = "Takes an applied migration back and returns the values that it kept."
    label = "Undo a migration"
    permission = "migrations_registry.undo_application"
    risk = Risk.DESTRUCTIVE
    connects = ("export", "restore")
    exclusive = "schema:{environment}"
    allowed_in_freeze = False
    steps = [step("bring back", bring_back, pool="prove", deadline=6 * 3600, stall=4 * 3600)]
    parameters = [
        Parameter(
            "application", "Application", choices=applications_here, named=_named, help="The operation that applied it."
        )
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        row = find_application(environment, str(parameters["application"]))
        known(row)
        return {"application": row.operation}

    def content(self, environment: Environment, parameters: Parameters) -> bytes:
        row = find_application(environment, str(parameters["application"]))
        before, after = row.schema_before, row.schema_after
        return "\n".join(each.sha256 if each else "" for each in (before, after, row.file)).encode()

    def describe(self, parameters: Parameters) -> str:
        row = Application.objects.filter(operation=parameters.get("application", "")).select_related("file").first()
        return row.file.name if row else str(parameters.get("application", ""))

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        facts = known(find_application(environment, str(parameters["application"])))
        losses = dict.fromkeys(loss for part in facts.parts for loss in part.losses)
        lines = [Consequence(line, "warn") for line in map(_returned, losses)]
        lines += _objects(environment, facts)
        if not lines and not facts.beyond:
            return [Consequence("It destroyed nothing, so nothing is brought back; what it made stays.", "warn")]
        lines += [Consequence(f"Does not come back. {text}", "bad") for text in facts.beyond]
        runs = [str(part.run) for part in facts.parts if part.run]
        kept = " and ".join(runs) or "nothing, because no row was destroyed or none was kept"
        return [
            *lines,
            Consequence(f"Old rows and values are taken from {kept}; everything in one transaction.", "ok"),
            Consequence("Rows added since stay, rows changed since keep their values; what the file made stays.", "ok"),
            Consequence("Its row in the migration history stays: mark it as reverted if it is to be applied again."),
        ]


def _returned(loss: TableLoss) -> str:
    table = ".".join(loss.table)
    if loss.whole:
        return f"{table} is made again with all its rows."
    parts = [
        "the rows that were destroyed" if loss.rows else "",
        f"old values of {', '.join(loss.values[:8])}" if loss.values else "",
        f"the column{'' if len(loss.columns) == 1 else 's'} {', '.join(loss.columns[:8])}" if loss.columns else "",
    ]
    where = "" if loss.key or not (loss.values or loss.columns) else " (it has no primary key: into a table beside it)"
    return f"{table} gets back {' and '.join(filter(None, parts)) or 'its form'}{where}."


def _objects(environment: Environment, facts: Known) -> Iterator[Consequence]:
    """As the schema is now; where nobody can tell, that is said."""
    try:
        plan = facts.looks.plan(drift_detect.read(environment))
    except (Refused, ProviderError) as error:
        yield Consequence(f"Which objects are made again cannot be told now: {error}", "warn")
        return
    for action in plan.actions[:SHOWN]:
        yield Consequence(f"Made again, or as it was: {action.what}." if action.ways else action.note, "warn")
    if len(plan.actions) > SHOWN:
        yield Consequence(f"And {len(plan.actions) - SHOWN} more.", "warn")
    yield from (Consequence(note, "bad") for note in plan.notes)
