"""`backups.after_restore`: what no dump carries, checked after a restore, and mended where that is safe.

In: a run and the database it was restored into, also by Supabase. Out: lines: what, found, mended or what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import psycopg
from psycopg import sql

from backups import step_support
from backups.archive import keys
from backups.archive.loader import Loader
from backups.archive.schema_proof import fingerprint_of
from backups.models import named
from backups.restore import targets
from backups.restore.kind import find, runs
from backups.restore.session import writing
from backups.restore.targets import parse
from backups.stores.trusted_manifest import store_of, trusted_manifest
from ledger.services import record
from operations.dsns import dsn_from, restore_dsn
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers import postgres
from providers.errors import Refused
from providers.postgres.connection import Connection, statements
from providers.postgres.restore import counters
from providers.postgres.schema.generations import Row
from providers.postgres.schema.objects import read_objects

AROUND = frozenset(["role", "role membership", "settings", "database grants", "cron job"])
BY_HAND = (
    ("passwords", "A restore at Supabase can bring earlier passwords back: set those of the roles that sign in anew."),
    ("network list", "Compare the project's network restrictions with what they were."),
    ("autodeploy", "Look at the service's page: whether Render deploys by itself is as it was."),
    ("migrations", "Look at the status page: history rows went back with the schema."),
    ("storage files", "Rows of storage.objects may name files that are gone, and files may have no row."),
)
NO_DATA = "; -- NO DATA"
BROKEN = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1"


@dataclass(frozen=True)
class Line:
    """`todo` is empty where it was mended or nothing is wrong."""

    what: str
    found: str
    mended: bool = False
    todo: str = ""


def lines(connection: Connection, before: list[Row], mend: bool) -> Iterator[Line]:
    """`before`: the run's fingerprint; empty for a run of the old format."""
    for item in counters.behind(connection):
        if mend:
            counters.catch_up(connection, item)
        yield Line("sequences", str(item), mend, "" if mend else "Request it again with mend, or setval by hand.")
    empty = {name for kind, name, _, text in before if kind == "materialized view" and text.find(NO_DATA) >= 0}
    for schema, name, quoted in connection.execute(statements("unfilled_views")).fetchall():
        if quoted in empty:
            continue
        filled = mend and _filled(connection, schema, name)
        yield Line("views", f"{schema}.{name} is not filled", filled, "" if filled else "REFRESH MATERIALIZED VIEW it.")
    for (name,) in connection.execute(BROKEN).fetchall():
        yield Line("indexes", f"{name} is invalid", todo="REINDEX it at a quiet time.")
    now = {(item.kind, item.name): item.sql for item in read_objects(connection)}
    for kind, name, _, text in before:
        if kind in AROUND and now.get((kind, name)) != text:
            found = "is missing" if (kind, name) not in now else "is otherwise"
            yield Line(kind, f"{name} {found}: the run says {text.removeprefix('-- ')}", todo="Bring it back by hand.")
    for what, todo in BY_HAND:
        yield Line(what, "not looked at from here", todo=todo)


def _filled(connection: Connection, schema: str, name: str) -> bool:
    try:
        connection.execute(sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier(schema, name)))
    except psycopg.Error:  # its query may name what is not here; whoever looks at it sees why
        return False
    return True


def look(ctx: StepContext) -> None:
    """Each mended thing is a statement of its own: what was mended stays, whatever comes after it."""
    run = find(ctx.environment, ctx.parameters)
    store, mend, watch = store_of(run), ctx.parameters["mend"] == "yes", step_support.watch(ctx)
    manifest = trusted_manifest(run, store)
    with postgres.explained("Looking after the restore"):
        with writing(_dsn(ctx), watch) if mend else postgres.connect(_dsn(ctx)) as connection:
            before = fingerprint_of(Loader(manifest, store, connection, keys.identities(), watch))
            found = list(lines(connection, before, mend))
    for line in found:
        ctx.log(f"{line.what}: {line.found}. {'Mended.' if line.mended else line.todo}")
    ctx.result(lines=[asdict(line) for line in found])
    counts = {"found": len(found) - len(BY_HAND), "mended": sum(line.mended for line in found)}
    record(
        "backups.restore.looked_after",
        actor=ctx.operation.requested_by.username,
        environment=ctx.environment.slug,
        subject=run.pk,
        data={"operation": ctx.operation.pk, "run_name": str(run), **counts},
        seeded=ctx.operation.seeded,
    )


def _dsn(ctx: StepContext) -> str:
    place = parse(str(ctx.parameters["target"]))
    if place.kind == "live":
        return restore_dsn(ctx.environment)
    targets.refuse_variable(place.name)
    return dsn_from(place.name, "the database that was restored into", "written")


class AfterRestoreKind(OperationKind):
    name, label, permission = "backups.after_restore", "Look after a restore", "backups.request_restore"
    about = "Checks a database that was restored by other means, and mends what is safe to mend."
    risk = Risk.ROUTINE
    connects = ("restore",)
    exclusive = "restore:{environment}:{target}"
    parameters = [
        Parameter("run", "Run", choices=runs, named=named.run),
        Parameter(
            "target",
            "Database",
            suggestions=lambda _: [("live", "the live tables")],
            help="live or database:OPS_RESTORE_<NAME>_DSN",
        ),
        Parameter("mend", "Mend what is safe", choices=lambda environment: [("no", "No"), ("yes", "Yes")]),
    ]
    steps = [step("look", look, pool="prove")]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        find(environment, parameters)
        try:
            place = parse(str(parameters.get("target", "")))
        except ValueError as error:
            raise Refused(f"{error}. Nothing was requested.") from None
        if place.kind not in ("live", "database"):
            raise Refused("Only live and database:OPS_RESTORE_<NAME>_DSN are looked after. Nothing was requested.")
        if parameters.get("mend") not in ("yes", "no"):
            raise Refused("mend is yes or no. Nothing was requested.")
        return parameters

    def connections(self, parameters: Parameters) -> tuple[str, ...]:
        return self.connects if parameters.get("target") == "live" else ()

    def assess(self, environment: Environment, parameters: Parameters) -> str:
        return Risk.SENSITIVE if parameters.get("mend") == "yes" else Risk.ROUTINE

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        told = (
            "Sequences that stand behind their rows are set to the highest number; empty materialized views are filled."
        )
        if parameters.get("mend") != "yes":
            return [Consequence("The database is read; nothing is written.", "ok")]
        return [Consequence(told, "warn"), Consequence("Roles, settings and jobs are told, not made.", "ok")]

    def describe(self, parameters: Parameters) -> str:
        return f"{named.title_of(str(parameters.get('run', '')))}, {parameters.get('target')}"
