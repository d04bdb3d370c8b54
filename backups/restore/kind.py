"""`backups.restore` and `backups.verify`: bring a run back, or prove it once more."""

from __future__ import annotations

import json
from collections.abc import Iterable

from backups.models import Run, named
from backups.models.run import RunStatus
from backups.policy_spec import run_name
from backups.restore import live_steps, preview, scratch, targets
from backups.restore import steps as restore_steps
from backups.restore.preview import comparison
from backups.restore.targets import Place, parse, where
from operations.databases import is_portal
from operations.engine.kinds import OperationKind, registry
from operations.engine.specs import Block, Consequence, Fact, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers.errors import Refused

DEADLINE = {"deadline": 6 * 3600, "stall": 600}


def runs(environment: Environment) -> Iterable[tuple[str, str]]:
    """Runs that lie in the store, newest first."""
    runs = Run.objects.restorable().filter(policy__environment=environment).select_related("policy")
    for run in runs.order_by("-started_at")[:100]:
        yield run.pk, f"{run_name(run.policy.title, run.started_at)}, {run.status}, {run.rows:,} rows"


def find(environment: Environment, parameters: Parameters) -> Run:
    run = Run.objects.filter(pk=parameters.get("run"), policy__environment=environment).exclude(stored_at=None).first()
    if run is None:
        raise Refused(f"{environment} has no stored run {parameters.get('run')}. Nothing was requested.")
    if run.purging_at is not None:
        raise Refused(
            f"The data of {run} was deleted by retention on {run.purging_at:%Y-%m-%d}; its manifest and proofs "
            "are still there. Nothing was requested. Choose another run."
        )
    return run


class RestoreKind(OperationKind):
    name, label, permission = "backups.restore", "Restore a run", "backups.request_restore"
    about = "Brings a proven run back: beside, for comparing, or onto the live tables."
    risk = "routine"
    protects = True
    connects = ("export", "restore")
    exclusive = "restore:{environment}:{target}"
    parameters = [
        Parameter("run", "Run", choices=runs, named=named.run),
        Parameter(
            "target",
            "Target",
            suggestions=lambda _: [(name, where(name)) for name in ("scratch", "compare", "live")],
            help="scratch, compare, live, schema:NAME or database:OPS_RESTORE_<NAME>_DSN",
        ),
        Parameter("tables", "Only these tables", required=False, help="Comma between names; empty: all."),
        Parameter("chain", "Only this experiment's chain", required=False),
    ]
    steps = [
        step("check", restore_steps.check, pool="prove", **DEADLINE),
        step("maintenance_on", live_steps.maintenance_on, pool="urgent"),
        step("drain", live_steps.drain, pool="export"),
        step("present_copy", live_steps.present_copy, pool="export", **DEADLINE),
        step("present_prove", live_steps.present_prove, pool="prove", **DEADLINE),
        step("load", restore_steps.load, pool="prove", **DEADLINE),
        step("maintenance_off", live_steps.maintenance_off, pool="urgent", always=True, undoes="maintenance_on"),
        step("settle", restore_steps.settle, pool="export", always=True),
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        run = find(environment, parameters)
        if run.status == RunStatus.FAILED:
            raise Refused(f"{run} failed its proof: {run.reason} Nothing was requested. Choose another run.")
        place = _place(parameters)
        if is_portal(environment):
            raise Refused(
                "The portal's own database comes back by `sampelit-ops recover`, into an empty one. Nothing was done."
            )
        if place.kind == "database":
            targets.refuse_variable(place.name)
        if place.kind == "live":
            _live_possible(run, parameters)
        if place.kind in ("live", "compare") and parameters.get("chain"):
            raise Refused("One chain can be restored into scratch, a database or a schema. Nothing was requested.")
        return parameters

    def connections(self, parameters: Parameters) -> tuple[str, ...]:
        """What is compared and what is loaded must be one database; scratch is another one on whatever server."""
        kind = str(parameters.get("target", "")).partition(":")[0]
        return {"live": self.connects, "schema": self.connects, "compare": ("export",)}.get(kind, ())

    def assess(self, environment: Environment, parameters: Parameters) -> str:
        kind = _place(parameters).kind
        return {"live": Risk.DESTRUCTIVE, "schema": Risk.SENSITIVE, "database": Risk.SENSITIVE}.get(kind, Risk.ROUTINE)

    def content(self, environment: Environment, parameters: Parameters) -> bytes:
        """Votes bind the manifest, and for live tables the difference that the voters saw."""
        run = find(environment, parameters)
        seen = comparison(run, str(parameters.get("tables", ""))) if _place(parameters).kind == "live" else None
        return json.dumps([run.manifest_sha256, seen.report if seen else None], sort_keys=True).encode()

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        run = find(environment, parameters)
        place = _place(parameters)
        lines = [Consequence(f"Every object of {run} is checked before the first write.", "ok")]
        if run.status != RunStatus.PROVEN:
            lines.append(Consequence(f"The run is {run.status}, not proven. {run.reason}", "bad"))
        elif run.in_part:
            lines.append(Consequence(f"The run is proven in part. {run.reason}", "warn"))
        for incident in run.shows.filter(status="open").defer("evidence")[:5]:
            lines.append(Consequence(f"This run holds altered data: {incident.summary}", "bad"))
        return lines + _consequences(environment, place, run, str(parameters.get("tables", "")))

    def shown(self, environment: Environment, parameters: Parameters) -> list[Fact | Block]:
        """Onto live tables: what the comparison found, table by table; elsewhere nothing that exists is touched."""
        if _place(parameters).kind != "live":
            return []
        seen = comparison(find(environment, parameters), str(parameters.get("tables", "")))
        return preview.shown(seen) if seen else []

    def confirm_text(self, environment: Environment, parameters: Parameters) -> str:
        """The name of what is overwritten."""
        return environment.slug

    def describe(self, parameters: Parameters) -> str:
        return f"{named.title_of(str(parameters.get('run', '')))} {where(str(parameters.get('target', '')))}"


def _place(parameters: Parameters) -> Place:
    try:
        return parse(str(parameters.get("target", "")))
    except ValueError as error:
        raise Refused(f"{error}. Nothing was requested.") from None


def _live_possible(run: Run, parameters: Parameters) -> None:
    if run.status != RunStatus.PROVEN:
        raise Refused(f"{run} is {run.status}; only a proven run may go onto live tables. Nothing was requested.")
    if "maintenance_on" not in registry.factories:
        raise Refused(
            "Live tables need maintenance mode, and no installed part provides the step maintenance_on. "
            "Nothing was requested. Restore into scratch or into a new schema."
        )
    if comparison(run, str(parameters.get("tables", ""))) is None:
        raise Refused(
            "Nobody has compared this run with the live tables within 24 hours. Nothing was requested. "
            "Request the same restore with the target compare first; it writes nothing."
        )


def _consequences(environment: Environment, place: Place, run: Run, tables: str) -> list[Consequence]:
    if place.kind == "scratch":
        return scratch.told(environment)
    if place.kind == "compare":
        return [Consequence("The live tables are read and compared in a throwaway server; nothing is written.", "ok")]
    if place.kind == "schema":
        return [Consequence(f"A new schema {place.name} appears in {environment}'s database.", "warn")]
    if place.kind == "database":
        return [Consequence(f"The database of {place.name} is filled; it must not hold these tables yet.", "warn")]
    seen = comparison(run, tables)
    lines = [Consequence(f"{environment} is in maintenance while it runs; its present state is proven first.", "warn")]
    return lines + preview.lines(seen.report if seen else {})
