"""Each accident, rehearsed on the stand-in: made, found among the ways back, brought back, compared row by row."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
from django.contrib.auth.models import Permission

from backups.models import Run
from backups.proof.baseline import continued
from ledger.models import Entry
from ledger.services import verify
from migrations_registry.drift import detect as drift_detect
from migrations_registry.models import MigrationFile, StreamBaseline
from operations.models import Environment, Operation
from providers import postgres
from providers.postgres.migrate.history import ensure_history
from providers.postgres.schema.objects import read_objects
from sampelit_ops.recover.loss import Lost, parse
from sampelit_ops.recover.migration_writer import write
from sampelit_ops.recover.option import Option
from sampelit_ops.recover.options import options
from tests.supabase_platform import Platform
from tests.supabase_production import decide, export, next_second

AUDITED = ("users", "experiments", "experiment_elements", "element_variants", "assignments", "algorithm_audit_trail")


DIGEST = """
    SELECT count(*) || md5(coalesce(string_agg(h, ',' ORDER BY h), ''))
    FROM (SELECT md5((to_jsonb(t) - 'updated_at')::text) h FROM {} t) x
"""


def content(platform: Platform) -> dict[str, str]:
    """A digest of every table that the rehearsals touch, whatever their order; a trigger sets updated_at."""
    with psycopg.connect(platform.dsn()) as connection:
        return {name: connection.execute(DIGEST.format(name)).fetchone()[0] for name in AUDITED}


def best(lost: Lost, layer: str = "ours") -> Option:
    ways = options(Environment.objects.get(), lost, datetime.now(UTC))
    return next(way for way in ways if way.layer == layer and way.kind)


def beside(act, lost: Lost) -> Operation:
    option = best(lost)
    operation = act(option.kind, **option.parameters)
    assert (operation.status, operation.error) == ("succeeded", "")
    return operation


def brought_back(act, platform: Platform, lost: Lost) -> MigrationFile:
    """Restored beside, then the generated SQL in one transaction as the role that applies migrations."""
    file = write(beside(act, lost), lost, "olga")
    with psycopg.connect(platform.dsn("migration")) as connection:
        connection.execute("SET ROLE sampelit_owner")
        connection.execute(file.data)
    return file


def an_experiment(platform: Platform) -> str:
    with psycopg.connect(platform.dsn()) as connection:
        return str(connection.execute("SELECT min(id::text) FROM experiments").fetchone()[0])


def accidents(platform: Platform) -> dict[str, str]:
    """What was lost, and the SQL that lost it."""
    return {
        "table=element_variants": "DROP TABLE element_variants CASCADE",
        "rows=experiment_elements": "DELETE FROM experiment_elements",
        f"experiment={an_experiment(platform)}": f"DELETE FROM experiments WHERE id = '{an_experiment(platform)}'",
        "column=experiments.name": f"UPDATE experiments SET name = 'oops' WHERE id = '{an_experiment(platform)}'",
    }


def test_what_was_dropped_deleted_or_overwritten_returns(act, production: Environment, platform: Platform) -> None:
    open_by_default = "ALTER DEFAULT PRIVILEGES FOR ROLE sampelit_owner IN SCHEMA public GRANT ALL ON {} TO anon"
    for what in ("TABLES", "SEQUENCES"):
        platform.change(open_by_default.format(what))
    platform.change("REVOKE ALL ON element_variants FROM anon")
    drift_detect.look(production)
    export(act)
    before, texts, shape = content(platform), {}, shape_of(platform)
    for words, accident in accidents(platform).items():
        written = others_written(platform)
        platform.change(accident)
        assert content_or_nothing(platform) != before
        texts[words.partition("=")[0]] = brought_back(act, platform, parse(words)).data.decode()
        assert content(platform) == before

    assert others_written(platform) == written, "the column's rows that were not overwritten are left alone"
    assert shape_of(platform) == shape, "rights, policies, triggers and comments are as they were"
    incident = drift_detect.look(production)
    drifted = {change["name"] for change in incident.changes} if incident else set()
    assert drifted <= {"public.experiment_performance"}, "of the accident only the view that hung on the table is gone"
    assert "CREATE TABLE" in texts["table"]
    assert "ADD COLUMN" not in texts["column"]
    assert platform.scalar("SELECT count(*) FROM pg_constraint WHERE conrelid = 'element_variants'::regclass") > 1


def shape_of(platform: Platform) -> list[str]:
    with postgres.connect(platform.dsn()) as connection:
        found = [row for row in read_objects(connection) if "element_variants" in row.name + row.of]
    return sorted(f"{row.kind} {row.name} {row.sql}" for row in found if "recover_" not in row.name + row.of)


def others_written(platform: Platform) -> str:
    """When every experiment but the one of the accidents was written last, as a trigger says."""
    query = "SELECT string_agg(updated_at::text, ',' ORDER BY id) FROM experiments WHERE id <> '{}'"
    return str(platform.scalar(query.format(an_experiment(platform))))


def content_or_nothing(platform: Platform) -> dict[str, str]:
    try:
        return content(platform)
    except psycopg.errors.UndefinedTable:
        return {}


def test_a_dropped_column_returns_through_an_approved_migration(
    act, production: Environment, platform: Platform, operator
) -> None:
    export(act)
    before = content(platform)
    platform.change("ALTER TABLE users DROP COLUMN company")
    file = write(beside(act, parse("column=users.company")), parse("column=users.company"), "olga")
    again = write(restored_beside(), parse("column=public.users.company"), "olga")
    with postgres.connect(platform.dsn("migration"), read_only=False) as connection:
        ensure_history(connection)
    StreamBaseline.objects.create(environment=production, stream=file.stream, operation="x", made_by="olga")
    operator.user_permissions.add(Permission.objects.get(codename="apply_migrationfile"))
    Environment.objects.update(votes_sensitive=0)

    operation = act("migrations.apply", file=file.sha256)

    assert again == file
    assert (operation.status, operation.error) == ("succeeded", "")
    assert content(platform) == before


def restored_beside() -> Operation:
    return Operation.objects.filter(kind="backups.restore").first()


def test_the_whole_project_by_point_in_time_and_no_false_alarm_afterwards(
    act, production: Environment, platform: Platform, door: list[str]
) -> None:
    held = export(act)
    before = content(platform)
    next_second()
    lost = parse("project")
    option = best(lost, "pitr")
    decide(platform, 3)
    undone = export(act)
    platform.change("DROP TABLE integration_events; ALTER TABLE users DROP COLUMN company")

    operation = act(option.kind, **option.parameters)
    run = export(act)

    assert (operation.status, operation.error) == ("succeeded", "")
    assert content(platform) == before
    assert door == ["on", "off"]
    assert operation.result["taken_back"]["public.algorithm_audit_trail"] == 3
    assert operation.result["compared_with"] == held.pk
    present = Run.objects.get(pk=operation.result["present"])
    assert (present.policy.name, present.is_stored) == ("whole-database", True)
    assert (run.status, run.reason) == ("proven", "")
    assert undone not in continued(Run.objects.all(), production)
    assert "backups.provider.restored" in Entry.objects.values_list("code", flat=True)
    assert verify().valid
