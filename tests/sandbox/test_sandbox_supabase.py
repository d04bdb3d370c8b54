"""The Management API's stand-in, through our own client, on a real database: what it restores is really restored."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from providers.http.errors import Rejected
from sandbox.seed import UNTIL
from sandbox.supabase.dumps import dump, put_back
from tests.supabase_platform import FREE, REF, Platform
from tests.waiting import until

pytestmark = pytest.mark.slow


def settled(platform: Platform, seconds: float = 60) -> str:
    until(lambda: platform.client.projects.get(REF).status != "RESTORING", seconds)
    return platform.client.projects.get(REF).status


def next_second() -> datetime:
    """A whole second that lies between what happened before the call and what happens after it."""
    time.sleep(1.05 - time.time() % 1)
    at = datetime.now(UTC).replace(microsecond=0)
    time.sleep(1.05)
    return at


def test_projects_and_plans_are_told_by_one_token(platform: Platform) -> None:
    projects = platform.client.projects.list()
    plans = {p.ref: platform.client.organizations.get(p.organization).plan for p in projects}

    assert plans == {REF: "pro", FREE: "free"}
    assert {project.engine for project in projects} == {"17"}
    assert all(service.status == "ACTIVE_HEALTHY" for service in platform.client.projects.health(REF))


def test_a_daily_backup_is_really_put_back(platform: Platform) -> None:
    newest = platform.client.backups.list(REF).restorable[0]
    platform.change("DELETE FROM experiments")
    assert platform.scalar() == 0

    platform.client.backups.restore(REF, newest.id)

    assert settled(platform) == "ACTIVE_HEALTHY"
    assert platform.scalar() == 300
    with psycopg.connect(platform.dsn("export")) as connection:
        assert connection.execute("SELECT count(*) FROM experiments").fetchone() == (3,)


def test_a_check_of_the_product_is_no_superusers_while_rows_come_back(platform: Platform, tmp_path: Path) -> None:
    platform.change(
        "CREATE FUNCTION public.sane(int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN IF current_database() LIKE"
        " '%restored' AND current_setting('is_superuser') = 'on' THEN RAISE 'it could do anything'; END IF;"
        " RETURN true; END $$; CREATE TABLE public.checked (id int CHECK (public.sane(id)));"
        " INSERT INTO public.checked VALUES (1)"
    )
    dump(platform.server, "production", tmp_path / "with.dump")

    put_back(platform.server, "production", tmp_path / "with.dump")

    assert platform.scalar("SELECT count(*) FROM public.checked") == 1
    platform.change("DROP TABLE public.checked; DROP FUNCTION public.sane(int)")


def test_an_older_backup_holds_only_what_was_there_then(platform: Platform) -> None:
    older = platform.client.backups.list(REF).restorable[3]
    expected = platform.scalar(
        f"SELECT count(*) FROM algorithm_audit_trail WHERE decision_timestamp <= '{UNTIL - timedelta(days=3)}'"
    )

    platform.client.backups.restore(REF, older.id)
    settled(platform)
    value = platform.scalar()
    platform.client.backups.restore(REF, platform.client.backups.list(REF).restorable[0].id)
    settled(platform)

    assert value == expected < 300 == platform.scalar()


def test_recovery_to_a_second_returns_what_was_deleted_after_it(platform: Platform) -> None:
    platform.change("UPDATE users SET company = 'kept'")
    at = next_second()
    platform.change("DELETE FROM experiments; UPDATE users SET company = 'lost'")

    platform.client.backups.restore_to(REF, at)

    assert settled(platform) == "ACTIVE_HEALTHY"
    assert platform.scalar() == 300
    assert platform.scalar("SELECT count(*) FROM users WHERE company <> 'kept'") == 0


def test_a_restore_point_is_returned_to(platform: Platform) -> None:
    name = f"pre-{time.time_ns() % 10**12}"
    made = platform.client.backups.create_point(REF, name)
    read = platform.client.backups.point(REF, name)
    platform.change("DELETE FROM experiments")

    platform.client.backups.undo(REF, name)

    assert made.status == read.status == "AVAILABLE"
    assert settled(platform) == "ACTIVE_HEALTHY"
    assert platform.scalar() == 300


def test_the_free_plan_has_no_backups_and_no_recovery(platform: Platform) -> None:
    assert platform.client.backups.list(FREE).entries == ()
    with pytest.raises(Rejected, match="PITR is not enabled"):
        platform.client.backups.restore_to(FREE, datetime.now(UTC))


def test_a_time_outside_the_window_is_refused(platform: Platform) -> None:
    for at in (datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=1)):
        with pytest.raises(Rejected, match="outside the window"):
            platform.client.backups.restore_to(REF, at)
