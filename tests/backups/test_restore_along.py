"""What a restore onto live tables does to rows that it was not asked for: keys behind keys, triggers, late rows."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from backups import disk_space
from backups.archive.late_rows import LateRows
from backups.archive.manifest import Segment, Table
from backups.archive.reader import load
from backups.archive.segment_codec import pack
from backups.models import Run
from backups.restore import in_place
from providers import machine, postgres
from providers.errors import ProviderError
from providers.postgres.restore import table_sync
from providers.postgres.restore.side_effects import silent_triggers
from providers.storage.factory import open_store
from tests.backups.restoring import rows, signed_up

pytestmark = pytest.mark.django_db(transaction=True)
BEHIND = """
CREATE TABLE tours (id int PRIMARY KEY, user_id uuid REFERENCES user_onboarding ON DELETE CASCADE,
                    before int REFERENCES tours ON DELETE CASCADE);
CREATE TABLE notes (id int PRIMARY KEY, tour int REFERENCES tours ON DELETE SET NULL) PARTITION BY RANGE (id);
CREATE TABLE notes_old PARTITION OF notes FOR VALUES FROM (0) TO (2);
CREATE TABLE notes_new PARTITION OF notes DEFAULT;
INSERT INTO tours SELECT 1, id, NULL FROM users WHERE email = 'one@example.com';
INSERT INTO tours VALUES (2, NULL, 1), (3, NULL, NULL), (4, NULL, 3);
INSERT INTO notes VALUES (1, 2), (2, 3), (3, NULL), (4, 4);
GRANT SELECT ON tours, notes, notes_old, notes_new TO PUBLIC;
"""
PARTITIONED = """
CREATE TABLE public.whole (id int) PARTITION BY LIST (id);
CREATE TABLE public.old PARTITION OF public.whole FOR VALUES IN (1);
CREATE TABLE public.new PARTITION OF public.whole DEFAULT;
CREATE TRIGGER same BEFORE UPDATE ON public.whole FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
ALTER TABLE public.old DISABLE TRIGGER same;
ALTER TABLE public.new ENABLE ALWAYS TRIGGER same;
"""


def behind(dsns: dict[str, str]) -> None:
    """A user whose onboarding has a tour, which leads to a second one, which a note is about; a third and its
    fourth stay, and so does what leads to them."""
    signed_up(dsns, "one@example.com")
    with psycopg.connect(dsns["admin"]) as connection:
        connection.execute(BEHIND)


def test_rows_behind_rows_that_go_along_are_counted_and_go_only_then(
    earlier_run: Run, restore_operation, spoilt, maintenance
) -> None:
    behind(spoilt)
    along = restore_operation(earlier_run, "compare").result["difference"]["public.users"]["along"]

    operation = restore_operation(earlier_run, "live")

    assert along == {"public.user_onboarding": 1, "public.tours": 2, "public.notes": 1}
    assert (operation.status, operation.error) == ("succeeded", "")
    assert rows(spoilt["admin"], "SELECT id FROM tours ORDER BY id") == [(3,), (4,)]
    assert rows(spoilt["admin"], "SELECT * FROM notes ORDER BY id") == [(1, None), (2, 3), (3, None), (4, 4)]


def test_what_nobody_approved_is_rolled_back_however_it_came_about(earlier_run: Run, spoilt) -> None:
    behind(spoilt)
    manifest = load(open_store(earlier_run.store_url), earlier_run.pk, None)

    with pytest.raises(ProviderError, match=r"public\.notes: 1 rows, public\.tours: 2 rows\. Compare") as caught:
        in_place.apply(
            manifest, open_store(earlier_run.store_url), (), spoilt["admin"], along={"public.user_onboarding": 1}
        )

    assert "was rolled back" in str(caught.value)
    assert rows(spoilt["admin"], "SELECT count(*) FROM tours") == [(4,)]


def test_no_trigger_fires_for_rows_that_were_kept_after_the_run(earlier_run: Run, spoilt) -> None:
    store = open_store(earlier_run.store_url)
    manifest = load(store, earlier_run.pk, None)
    with psycopg.connect(spoilt["admin"]) as connection:
        connection.execute("ALTER TABLE users DISABLE TRIGGER USER")
        connection.execute("UPDATE users SET full_name = 'Kept', updated_at = '2026-01-02 03:04:05+00'")
        connection.execute("ALTER TABLE users ENABLE TRIGGER USER")
    kept = kept_users(spoilt["export"], manifest.table("public.users"), store)

    in_place.apply(manifest, store, (), spoilt["admin"], late_rows=[replace(kept, manifest_sha256=manifest.sha256)])

    names = rows(spoilt["admin"], "SELECT DISTINCT full_name, updated_at::text FROM users")
    assert names == [("Kept", "2026-01-02 03:04:05+00")]


def test_triggers_are_afterwards_as_they_were_on_each_partition(empty_database: str) -> None:
    names = [("public", "whole"), ("public", "old"), ("public", "new")]
    modes = "SELECT tgrelid::regclass::text, tgenabled FROM pg_trigger ORDER BY 1"
    with postgres.connect(empty_database, read_only=False) as connection:
        connection.execute(PARTITIONED)
        before = connection.execute(modes).fetchall()
        with connection.transaction():
            with silent_triggers(connection, names):
                during = connection.execute(modes).fetchall()
            after = connection.execute(modes).fetchall()

    assert before == [("public.new", "A"), ("public.old", "D"), ("public.whole", "O")]
    assert {mode for _, mode in during} == {"D"}
    assert after == before


def test_a_comparison_that_this_machine_has_no_disk_for_is_not_begun(
    earlier_run: Run, restore_operation, spoilt, monkeypatch
) -> None:
    needed = disk_space.disk_bytes(2 * earlier_run.raw_bytes)
    monkeypatch.setattr(machine, "free_disk", lambda: needed - 1)

    operation = restore_operation(earlier_run, "compare")

    assert operation.status == "failed"
    assert operation.error.startswith("Nothing was compared. A drill needs 0.2 GB")


def test_rows_that_are_as_wanted_are_not_written(empty_database: str) -> None:
    """A write would fire what hangs on the table and make the rows look newer."""
    tables = [("public", name) for name in ("live", "wanted")]
    with postgres.connect(empty_database, read_only=False) as connection:
        for _, name in tables:
            connection.execute(f"CREATE TABLE public.{name} (id int PRIMARY KEY, v text)".encode())
        connection.execute("INSERT INTO public.live VALUES (1, 'same'), (2, 'old'), (3, NULL)")
        connection.execute("INSERT INTO public.wanted VALUES (1, 'same'), (2, 'new'), (3, NULL)")

        assert table_sync._update(connection, *tables, ["v"], ["id"]) == 1


def kept_users(dsn: str, table: Table, store) -> LateRows:  # type: ignore[no-untyped-def]
    """The table as it is now, stored as what was kept after the run."""
    name, names = (table.schema, table.name), [column.name for column in table.columns]
    with postgres.connect(dsn) as connection:
        packed = pack(postgres.CopyOut(connection, name, names, postgres.Range(), "csv"), ())
        columns = [postgres.Column(column.name, column.type, hashed_as=column.hashed_as) for column in table.columns]
        evidence = postgres.evidence(connection, name, columns)
    key = f"runs/kept-{table.name}.csv.zst"
    stored = store.put_once(key, packed.data)
    segment = Segment(
        key=key,
        start="",
        end="",
        rows=evidence.rows,
        digest=evidence.digest,
        raw_bytes=packed.raw_bytes,
        raw_sha256=packed.raw_sha256,
        stored_bytes=len(packed.data),
        stored_sha256=stored.sha256,
        encrypted=False,
    )
    held = Table(table.schema, table.name, "csv", table.named, table.columns, (segment,))
    return LateRows("run", "", "operation", 1, 1, 1, "2026-01-02T03:04:05+00:00", (held,))
