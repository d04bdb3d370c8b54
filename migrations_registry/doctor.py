"""Is the registry of migrations able to work: role, history table, baselines, repository, age of the last looks.

In: the kept readings, looks and fingerprints, so no check waits for a target. Out: Checks with what, why and the fix.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from migrations_registry.drift import detect as drift_detect
from migrations_registry.gate import commits
from migrations_registry.history import readings, status_matrix
from migrations_registry.history.status_cell import Column
from migrations_registry.models import MigrationFile, SchemaFingerprint
from operations import doctor
from operations.doctor import Check
from operations.models import Environment
from operations.periodic.clock import database_time

LATE = timedelta(seconds=3 * readings.EVERY_SECONDS)
SCHEMA_LATE = timedelta(seconds=3 * drift_detect.EVERY_SECONDS)
REPOSITORY_LATE = timedelta(hours=3)


def migration_history(environment: Environment | None) -> Iterator[Check]:
    """Role, history table and baselined streams of each environment, by its last reading."""
    streams = {str(stream) for stream in MigrationFile.objects.order_by().values_list("stream", flat=True).distinct()}
    for column in status_matrix.columns(environment.slug if environment else ""):
        yield from _role(column)
        if column.read_at:
            yield _table(column)
            yield _streams(column, streams)


def _role(column: Column) -> Iterator[Check]:
    slug, why = column.environment.slug, "Whoever applies a migration must be able to, in session mode, on the primary."
    name, variable = f"{slug} migration role", column.environment.variable("migration")
    if column.problem:
        fix = f"Bring the target up or correct {variable}; then sampelit-ops migrations_status --environment {slug}."
        yield Check(name, "bad", column.problem, why, fix)
    elif column.read_at is None:
        yield Check(name, "idle", "its history was never read", why, f"Set {column.variables} for the worker.")
    elif not column.role:
        fix = f"Set {variable} for the worker, and for no other process."
        yield Check(name, "idle", "read with the export role only; nobody looked with the migration role", why, fix)
    elif column.obstacle:
        yield Check(name, "bad", column.obstacle, why, f"Use the role that Connect a database prints, in {variable}.")
    else:
        yield Check(name, "ok", f"{column.role} can apply and record", why)
    if column.read_at and database_time() - column.read_at > LATE:
        fix = "See the tick's log; sampelit-ops migrations_status reads it now."
        yield Check(f"{slug} migration reading", "warn", f"last read {_ago(column.read_at)}", "Pages show it.", fix)


def _table(column: Column) -> Check:
    slug, why = column.environment.slug, "Only the target's own history says what is applied there."
    name = f"{slug} history table"
    if not column.has_table:
        fix = "Baseline a stream: that makes it, as the Supabase CLI would."
        return Check(name, "warn", "there is no supabase_migrations.schema_migrations yet", why, fix)
    if column.unknown:
        strays = f"{len(column.unknown)} rows that no registered file explains, {column.unknown[0].version} first"
        return Check(name, "warn", strays, why, "Register their files, or take the rows back (Migrations, Status).")
    return Check(name, "ok", "there, and every row is explained", why)


def _streams(column: Column, streams: set[str]) -> Check:
    slug, why = column.environment.slug, "Nothing of a stream is applied until its state on the target is agreed."
    missing = sorted(streams - column.baselined)
    if not streams:
        return Check(
            f"{slug} baselines", "idle", "no migrations are registered", why, "sampelit-ops discover_migrations"
        )
    if missing:
        fix = f"sampelit-ops request migrations.baseline --environment {slug} --set stream={missing[0]} --reason …"
        return Check(f"{slug} baselines", "warn", f"not baselined: {', '.join(missing)}", why, fix)
    return Check(f"{slug} baselines", "ok", ", ".join(sorted(column.baselined)), why)


def fingerprints(only: Environment | None) -> Iterator[Check]:
    """How old the last look at each schema is, and whether drift is open."""
    why = "A change made behind the portal's back is seen only by looking."
    for column in status_matrix.columns(only.slug if only else ""):
        environment = column.environment
        looks = SchemaFingerprint.objects.filter(environment=environment).defer("objects_json")
        row = looks.order_by("-seen_at").first()
        name = f"{environment.slug} schema"
        if row is None:
            fix = f"Set {column.variables} for the worker; then sampelit-ops drift --environment {environment.slug}."
            yield Check(name, "idle", "never looked at", why, fix)
        elif column.drift:
            yield Check(name, "bad", f"drift is open; looked at {_ago(row.seen_at)}", why, "Open Drift in the sidebar.")
        elif database_time() - row.seen_at > SCHEMA_LATE:
            fix = f"See the tick's log; sampelit-ops drift --environment {environment.slug} looks now."
            yield Check(name, "warn", f"last looked at {_ago(row.seen_at)}", why, fix)
        else:
            yield Check(name, "ok", f"as expected; looked at {_ago(row.seen_at)}", why)


def repositories(environment: Environment | None) -> Iterator[Check]:
    """Whether the processes that gate deploys reach the repositories that the migrations come from."""
    why = "A deploy's missing migrations are seen only where its commit can be read."
    for repository, problem, beat in commits.looks():
        name = f"repository {repository}"
        if problem:
            fix = "Set OPS_GIT_TOKEN for a private repository, or MIGRATIONS_SOURCE for a mirror."
            yield Check(name, "warn", problem, why, fix)
        elif database_time() - beat.beat_at > REPOSITORY_LATE:
            yield Check(name, "warn", f"last reached {_ago(beat.beat_at)}", why, "See the tick's log.")
        else:
            yield Check(name, "ok", f"reached {_ago(beat.beat_at)}", why)


def _ago(at: datetime) -> str:
    minutes = int((database_time() - at).total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{at:%Y-%m-%d %H:%M} UTC"


def register() -> None:
    for check in (migration_history, fingerprints, repositories):
        doctor.register(check)
