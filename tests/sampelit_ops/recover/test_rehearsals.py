"""Each accident, rehearsed on the stand-in: made, found among the ways back, brought back, compared row by row."""

# ruff: noqa: F401, F811 - fixtures are imported by name
from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
from django.contrib.auth.models import Permission

from migrations_registry.models import MigrationFile, StreamBaseline
from operations.models import Environment, Operation
from providers import postgres
from providers.postgres.history import ensure_history
from sampelit_ops.recover.lost import Lost, parse
from sampelit_ops.recover.options import Option, options, restored
from sampelit_ops.recover.write import write
from tests.backups.conftest import drill
from tests.backups.provider_room import act, decide, door, export, next_second, operator, production
from tests.sandbox.conftest import REF, Platform, platform, platform_server

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
    found = options(Environment.objects.get(), lost, datetime.now(UTC))
    return next(one for one in found if one.layer == layer and one.kind)


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


def test_a_dropped_table(act, production: Environment, platform: Platform) -> None:
    export(act)
    before = content(platform)
    platform.change("DROP TABLE element_variants CASCADE")

    file = brought_back(act, platform, parse("table=element_variants"))

    assert content(platform) == before
    assert "CREATE TABLE" in file.data.decode()
    with psycopg.connect(platform.dsn()) as connection:
        connection.execute("INSERT INTO element_variants (element_id, name, content, variant_order) "
                           "SELECT id, 'x', '{}', 99 FROM experiment_elements LIMIT 1")  # fmt: skip
        connection.rollback()


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


def test_an_overwritten_column(act, production: Environment, platform: Platform) -> None:
    export(act)
    names = "SELECT count(DISTINCT name) FROM experiments"
    before = platform.scalar(names)
    platform.change("UPDATE experiments SET name = 'oops'")

    file = brought_back(act, platform, parse("column=experiments.name"))

    assert platform.scalar(names) == before > 1
    assert platform.scalar("SELECT count(*) FROM experiments WHERE name = 'oops'") == 0
    assert "ADD COLUMN" not in file.data.decode()


def test_deleted_rows_and_what_a_cascade_took(act, production: Environment, platform: Platform) -> None:
    export(act)
    before = content(platform)
    platform.change("DELETE FROM experiment_elements")

    brought_back(act, platform, parse("rows=experiment_elements"))

    assert content(platform) == before


def test_one_experiments_chain_and_nothing_else(act, production: Environment, platform: Platform) -> None:
    export(act)
    lost = parse(f"experiment={an_experiment(platform)}")
    before = content(platform)
    platform.change(f"DELETE FROM experiments WHERE id = '{lost.key}'")
    gone = content(platform)

    brought_back(act, platform, lost)

    assert before != gone
    assert content(platform) == before


def test_the_whole_project_by_point_in_time(act, production: Environment, platform: Platform) -> None:
    export(act)
    before = content(platform)
    next_second()
    lost = parse("project")
    option = best(lost, "pitr")
    platform.change("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION sampelit_owner")

    operation = act(option.kind, **option.parameters)

    assert (operation.status, operation.error) == ("succeeded", "")
    assert content(platform) == before
