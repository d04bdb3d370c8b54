"""What must hold before anything is touched. In: a context. Out: an opened attempt, or Refused with what to do."""

from __future__ import annotations

from migrations_registry.apply.attempt import Attempt, Requirements, open_attempt, require
from migrations_registry.apply.failpoints import failpoint
from migrations_registry.apply.target_checks import no_strange_index, nobody_is_late, nothing_unseen, room, session
from migrations_registry.drift import detect as drift_detect
from migrations_registry.drift.restore_exemption import without_copies
from migrations_registry.effects.row_counts import above_shown
from migrations_registry.effects.wording import phrases
from migrations_registry.fingerprint import compare
from migrations_registry.history import states as history_states
from migrations_registry.history.baseline import is_baselined
from migrations_registry.models import Application, MigrationFile
from migrations_registry.services.planning import Review
from migrations_registry.services.rehearsals import newest_rehearsal, why_not_approve
from migrations_registry.services.row_counts import count_now
from operations.dsns import migration_dsn
from operations.engine.context import StepContext
from operations.models import Environment
from providers import postgres
from providers.counting import counted
from providers.errors import Refused
from providers.postgres.migrate.session import writable
from providers.postgres.preflight import OLDEST_VERSION

LONGEST_TRANSACTION_SECONDS = 60
OUT_OF_ORDER = "out_of_order"


def check(ctx: StepContext, reviewed: Review) -> Attempt:
    """All checks; nothing is changed by any of them. `reviewed`: as people were shown it, and as it is now."""
    environment, file = ctx.environment, reviewed.file
    failpoint("preflight.begun")
    _rehearsed(ctx, file)
    _baselined(environment, file)
    _session(environment, migration_dsn(environment))
    _in_order(environment, file, out_of_order=bool(ctx.parameters.get(OUT_OF_ORDER)))
    _schema_as_expected(environment)
    _quiet(reviewed)
    _as_many_as_shown(reviewed)
    with session(environment) as connection:
        nobody_is_late(connection, reviewed)
        nothing_unseen(connection, reviewed)
        no_strange_index(connection, reviewed)
    ctx.log(room(reviewed))
    failpoint("preflight.checked")
    attempt = open_attempt(ctx, reviewed)
    failpoint("preflight.opened")
    require(ctx, Requirements(reviewed.plan.maintenance, reviewed.plan.restore_point, reviewed.keep))
    ctx.log(f"{file.name}: {counted(len(attempt.row.steps), 'step')}; every check before the first change passed")
    return attempt


def _rehearsed(ctx: StepContext, file: MigrationFile) -> None:
    """A rehearsal may have ended after the last vote. Broken glass goes on; elsewhere nobody voted."""
    row = newest_rehearsal(file, ctx.environment)
    why = why_not_approve(row, ctx.operation.requested_by.username) if row and ctx.environment.protected else ""
    if why and not ctx.operation.glass_is_broken():
        raise Refused(f"{why} Nothing was changed.")


def _baselined(environment: Environment, file: MigrationFile) -> None:
    if not is_baselined(environment, file.stream):
        raise Refused(
            f"The stream {file.get_stream_display()} is not baselined on {environment}, nothing was changed. "
            "Nobody knows which of its files are applied there: request migrations.baseline first."
        )


def _session(environment: Environment, dsn: str) -> None:
    with postgres.connect(dsn, read_only=False) as connection:
        with postgres.explained("Looking at the target, which was not changed,"):
            facts, why = postgres.facts(connection), writable(connection)
    if not facts.session_mode:
        raise Refused(
            "The DSN leads to a pooler in transaction mode, where limits and locks are lost. Nothing was changed. "
            "Use the session pooler (port 5432) or the host."
        )
    if facts.version < OLDEST_VERSION:
        raise Refused(f"PostgreSQL {facts.server_version} is too old: 15 or newer is needed. Nothing was changed.")
    if why:
        name = environment.variable("migration")
        raise Refused(f"{environment} takes no changes: {why}. Nothing was changed. Correct {name}.")


def _in_order(environment: Environment, file: MigrationFile, *, out_of_order: bool) -> None:
    files = [row for row in MigrationFile.objects.newest().order_by("position", "path") if row.stream == file.stream]
    standings, _ = history_states.standings(files, history_states.rows_of(environment))
    own = next((standing for standing in standings if standing.file.pk == file.pk), None)
    if own is None or own.state != history_states.PENDING:
        raise Refused(
            f"{file.name} is {own.state if own else 'not the newest revision'} already on {environment}. "
            "Nothing was changed; there is nothing to do."
        )
    earlier = standings[: standings.index(own)]
    pending = [standing.file.name for standing in earlier if standing.state == history_states.PENDING]
    if out_of_order:
        pending = []
    changed = [standing.file.name for standing in earlier if standing.state == history_states.CHANGED]
    if pending or changed:
        why = f"{', '.join(pending)} comes first" if pending else f"{', '.join(changed)} changed after it was applied"
        anyway = " Apply that one first, or ask for this one with out_of_order=yes." if pending else ""
        raise Refused(f"{file.name} is not next on {environment}: {why}. Nothing was changed.{anyway}")
    stuck = Application.objects.filter(environment=environment, status="partly").exclude(file=file)
    waiting = {standing.file.pk for standing in standings if standing.state == history_states.PENDING}
    blocking = [row.file.name for row in stuck.select_related("file") if row.file.pk in waiting]
    if blocking:
        raise Refused(f"{blocking[0]} is partly applied on {environment}. Nothing was changed; finish that one first.")


def _schema_as_expected(environment: Environment) -> None:
    expected = drift_detect.trusted(environment)
    changes = compare(expected.fingerprint(), drift_detect.read(environment)) if expected else []
    if expected and changes:
        changes, _ = without_copies(environment, expected, changes)
    if changes:
        differences = "; ".join(str(change) for change in changes[:5])
        raise Refused(
            f"The schema of {environment} is not the expected one: {differences}. Nothing was changed. Resolve the "
            "drift (Drift in the sidebar), then request it again."
        )


def _as_many_as_shown(reviewed: Review) -> None:
    """Before maintenance and restore point; what grows after that, the transaction's own measure sees."""
    facts = reviewed.facts
    now = count_now(reviewed.file, reviewed.environment, facts) if facts and reviewed.row_counts else ()
    more = above_shown({count.statement: count.rows for count in now}, reviewed.row_counts)
    if more:
        raise Refused(
            f"It would do more than was approved: {', '.join(phrases(more))}. Nothing was changed. Request it again, "
            "so that people decide about what it would do now."
        )


def _quiet(reviewed: Review) -> None:
    """A long transaction on a touched table would make everybody queue behind us."""
    for name in {touched.name for step in reviewed.plan.steps for touched in step.objects if not touched.is_new}:
        table = reviewed.facts.tables.get(name) if reviewed.facts else None
        if table and table.oldest_transaction_seconds > LONGEST_TRANSACTION_SECONDS:
            raise Refused(
                f"A transaction has held {'.'.join(name)} for {table.oldest_transaction_seconds} s. Nothing was "
                "changed. End it, then request again."
            )
