"""After a restore at Supabase: does the database begin with what our newest earlier run holds, and what was taken back.

In: the operation's context and its target. Out: problems, chains compared, rows fewer than before. Writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from backups.archive.manifest import Manifest
from backups.models import Policy, Run
from backups.provider.target import Target
from backups.stores.trusted_manifest import store_of, trusted_manifest
from operations.dsns import export_dsn
from operations.engine.context import StepContext
from operations.models import Environment
from operations.periodic.clock import database_time
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.postgres import database_mark
from providers.postgres.connection import Connection

AUDIT = ("public", postgres.CHAIN_TABLE)
DECIDED = "decision_timestamp"
SLACK = timedelta(seconds=1)


@dataclass
class Report:
    """`run` is empty where no run of ours is older than the target."""

    run: str = ""
    chains: int = 0
    problems: list[str] = field(default_factory=list)
    taken_back: dict[str, int] = field(default_factory=dict)


def newest_before(environment: Environment, target: Target) -> Run | None:
    """Our newest proven run whose rows must all be there after the restore."""
    runs = Run.objects.counting().filter(policy__environment=environment, snapshot_at__lte=target.at)
    return runs.filter(tables__contains=[".".join(AUDIT)]).order_by("-snapshot_at").first()


def compare(ctx: StepContext, target: Target) -> Report:
    report = Report()
    run = newest_before(ctx.environment, target)
    with postgres.connect(export_dsn(ctx.environment)) as connection:
        if run is not None:
            report.run = run.pk
            _chains(connection, trusted_manifest(run, store_of(run)), report)
        if target.backup is None:
            _nothing_later(connection, target, report)
        report.taken_back = _taken_back(ctx, connection)
    return report


def _chains(connection: Connection, manifest: Manifest, report: Report) -> None:
    for table in manifest.tables:
        if table.chains is None:
            continue
        heads = [postgres.ChainHead(head.chain, head.rows, head.first, head.last, head.head) for head in table.chains]
        report.chains += len(heads)
        if table.qualified not in postgres.table_sizes(connection):
            report.problems.append(f"{table.qualified} is not there.")
            continue
        report.problems += postgres.chains_not_kept(connection, (table.schema, table.name), heads)[:20]


def _nothing_later(connection: Connection, target: Target, report: Report) -> None:
    """A second too early or too late would show in the decisions' own times."""
    if ".".join(AUDIT) not in postgres.table_sizes(connection):
        return
    later = database_mark.rows_since(connection, AUDIT, DECIDED, target.at + SLACK)
    if later:
        report.problems.append(f"{later} decisions are later than {target.name}.")


def _taken_back(ctx: StepContext, connection: Connection) -> dict[str, int]:
    """Rows of each table that the present run held and the database no longer has, by number."""
    run = Run.objects.filter(pk=ctx.operation.result.get("present", "")).exclude(stored_at=None).first()
    if run is None:
        return {}
    lost, there = {}, postgres.table_sizes(connection)
    for table in trusted_manifest(run, store_of(run)).tables:
        now = database_mark.count(connection, (table.schema, table.name)) if table.qualified in there else 0
        if now < table.rows:
            lost[table.qualified] = table.rows - now
    return lost


def accept_identity(ctx: StepContext) -> None:
    """A restore may bring another cluster: later runs may come from it, without anybody having to say so again."""
    run = Run.objects.filter(pk=ctx.operation.result.get("present", "")).first()
    try:
        with postgres.connect(export_dsn(ctx.environment)) as connection:
            now = postgres.facts(connection).system_identifier
    except (ProviderError, Refused) as error:
        ctx.log(f"The database's identity could not be read: {error}")
        return
    if run is None or not now or run.system_identifier != now:
        Policy.objects.filter(environment=ctx.environment).update(identity_accepted_at=database_time())
        ctx.log("The database's identity is another one; it was accepted for every policy.")


def decided_since(environment: Environment, target: Target) -> int | None:
    """Decisions later than the target, for the confirmation page; None where the database cannot be asked."""
    try:
        with postgres.connect(export_dsn(environment), timeout=3) as connection:
            return database_mark.rows_since(connection, AUDIT, DECIDED, target.at)
    except Exception:  # a page must not fail because the product's database does
        return None
