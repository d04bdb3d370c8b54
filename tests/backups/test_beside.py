"""The drill's sessions beside the first: each way to break a chain is seen there, and they end with the proof."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from hashlib import md5

import psycopg
import pytest
from psycopg import sql

from backups.archive import subset
from backups.archive.loader import Loader
from backups.archive.manifest import Manifest, Statement
from backups.progress import Watch
from backups.proof.beside import Beside, sessions_beside
from backups.proof.comparison import Comparison
from backups.proof.prove import prove
from providers import postgres
from providers.embedded_postgres.cell import sorting
from providers.postgres.connection import statements
from providers.storage.base import Store

AUDIT = ("public", "algorithm_audit_trail")
TEXT = sql.SQL(statements("json_text"))
COMPUTED = sql.SQL(statements("chain_hash")).format(
    segment_key=TEXT.format(value=sql.Identifier("segment_key")),
    visitor_id=TEXT.format(value=sql.Identifier("visitor_id")),
)
HEADS = "(experiment_id, sequence_number) IN (SELECT experiment_id, max(sequence_number) FROM {table} GROUP BY 1)"
BREAKS = {
    "hash": "UPDATE {table} SET visitor_id = visitor_id || 'x' WHERE " + HEADS,
    "link": "UPDATE {table} SET previous_hash = repeat('0', 64) WHERE " + HEADS,
    "sequence": "UPDATE {table} SET sequence_number = sequence_number + 7 WHERE " + HEADS,
}


@pytest.mark.parametrize("kind", BREAKS)
def test_each_break_alone_is_seen_and_the_whole_is_not(sampelit_copy, kind: str) -> None:
    """Of the last rows of the chains; but for the first kind they get a hash that fits what they say."""
    parts = {"table": sql.Identifier(*AUDIT), "computed": COMPUTED}
    with postgres.connect(sampelit_copy["admin"], read_only=False) as connection:
        before = postgres.chain_damage(connection, AUDIT, 50)
        connection.execute("SET session_replication_role = replica")
        connection.execute(sql.SQL(BREAKS[kind]).format(**parts))
        if kind != "hash":
            connection.execute(sql.SQL("UPDATE {table} SET decision_hash = {computed} WHERE " + HEADS).format(**parts))
        found = postgres.chain_damage(connection, AUDIT, 50)

    assert (before.total, found.total, {problem.problem for problem in found.problems}) == (0, 4, {kind})


def test_the_ends_of_many_chains_are_found_in_two_readings(empty_database: str) -> None:
    """A drill asks before it has built an index; once for each chain were hours."""
    with postgres.connect(empty_database, read_only=False) as connection, connection.transaction():
        connection.execute(
            "CREATE TABLE public.algorithm_audit_trail AS SELECT md5((n % 500)::text)::uuid AS experiment_id,"
            " n / 500 + 1 AS sequence_number, 'hash ' || n AS decision_hash FROM generate_series(0, 1999) n"
        )
        connection.execute("INSERT INTO public.algorithm_audit_trail VALUES (md5('none')::uuid, NULL, 'unnumbered')")
        heads = {head.chain.replace("-", ""): head for head in postgres.chain_heads(connection, AUDIT)}
        read = connection.execute(
            "SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'algorithm_audit_trail'"
        ).fetchone()

    of = {n: heads[md5(str(n).encode()).hexdigest()] for n in (0, 499)}
    assert [(h.rows, h.first, h.last, h.head) for h in of.values()] == [(4, 1, 4, "hash 1500"), (4, 1, 4, "hash 1999")]
    none = heads[md5(b"none").hexdigest()]
    assert (len(heads), none.rows, none.last, none.head) == (501, 1, None, None)
    assert read is not None
    assert read[0] <= 2 * 2001


def test_a_cancelled_proof_leaves_nobody_at_work(manifest: Manifest, store: Store, drill) -> None:
    lines: list[str] = []

    def check() -> None:
        if any("rows compared" in line for line in lines):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        prove(manifest, store, watch=Watch(check=check, log=lines.append), server=drill)

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("beside")]


def test_what_still_runs_is_stopped_in_the_server(empty_database: str) -> None:
    with pytest.raises(InterruptedError), sessions_beside(empty_database) as beside:
        slept = beside.sorting.begin(lambda connection: connection.execute("SELECT pg_sleep(60)"))
        beside.sorting.begin(lambda connection: connection.execute("SELECT pg_sleep(61)"))
        beside.scanning.begin(lambda _: slept.result())
        raise InterruptedError

    running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(6%' AND pid <> pg_backend_pid()"
    with psycopg.connect(empty_database) as looking:
        assert looking.execute(running).fetchone() == (0,)


def test_chains_are_read_while_indexes_are_built_and_beside_nothing_else(
    manifest: Manifest, store: Store, drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, bool, bool]] = []
    done = Beside.during_indexes

    def noted(beside: Beside, batch: Sequence[Statement], loader: Loader, comparison: Comparison) -> None:
        done(beside, batch, loader, comparison)
        busy = [*beside.sorting.running(), *beside.scanning.running()]
        seen.append((batch[0].kind == "index", bool(beside.facts), bool(busy)))

    monkeypatch.setattr(subset, "TOGETHER", 1)
    monkeypatch.setattr(Beside, "during_indexes", noted)

    assert prove(manifest, store, server=drill).status == "proven"
    indexes, others = [each for each in seen if each[0]], [each for each in seen if not each[0]]
    assert indexes
    assert all(asked for _, asked, _ in indexes)
    assert others
    assert not any(busy for _, _, busy in others)


@pytest.mark.parametrize(("free", "wanted"), [(None, "64MB"), (2 << 30, "128MB"), (64 << 30, "256MB")])
def test_a_drill_sorts_in_what_the_plan_has(free: int | None, wanted: str) -> None:
    assert sorting(free) == wanted
