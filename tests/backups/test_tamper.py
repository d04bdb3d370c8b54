"""Forgeries that the product's own verify_audit_chain() mostly calls valid, each found at the next run; legal changes
are not. OPS_TEST_FORGERIES of each kind share one run; OPS_TEST_CONVERSIONS legal late conversions raise nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from backups.archive.manifest import Manifest
from backups.evidence.report import Watched
from backups.evidence.wording import cannot_be_known
from backups.policy_spec import PolicySpec
from backups.proof.comparison import Comparison
from backups.proof.findings import Finding
from backups.proof.prove import Verdict, as_document, prove
from providers import postgres
from providers.storage.base import Store
from providers.storage.factory import open_store
from sandbox import database
from sandbox.traffic import convert, decide
from tests import portal_database, sampling
from tests.backups.conftest import exported
from tests.backups.forgeries import KINDS, UNKNOWABLE, Forged, Forger

pytestmark = pytest.mark.xdist_group("tamper")  # one process makes the three runs
N = sampling.size("FORGERIES")
CONVERSIONS = sampling.size("CONVERSIONS")
AUDIT = "public.algorithm_audit_trail"
ASSIGNMENTS = "public.assignments"
BY_ROW = ("row_edited", "conversion_changed", "rows_removed", "tail_cut", "chain_removed")
BY_PLACE = {"chain_broken": AUDIT, "row_backdated": AUDIT, "assignment_unaudited": ASSIGNMENTS}


@dataclass(frozen=True)
class World:
    """Three runs: as it was, after a legal day, after the forgeries; what was forged."""

    store: Store
    quiet: Verdict
    loud: Verdict
    last: Manifest
    forged: Forged

    def found(self, code: str, subject: str = AUDIT) -> Finding:
        return next(f for f in self.loud.findings if (f.code, f.subject) == (code, subject))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, drill: Callable) -> Iterator[World]:
    store = open_store(f"file://{tmp_path_factory.mktemp('tamper')}/store")
    name = f"tamper_{uuid4().hex[:12]}"
    database.create(portal_database.server, name, rows=100 + CONVERSIONS, experiments=4)
    dsns = database.dsns(portal_database.server, name)
    with psycopg.connect(dsns["admin"], autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        forger = Forger(connection, N)
        first = exported(dsns["export"], store)
        legal(connection, random.Random(8))
        second = exported(dsns["export"], store)
        forged = forger.forge()
    third = exported(dsns["export"], store)
    quiet = prove(second, store, comparison=Comparison(manifest=first, store=store), server=drill)
    loud = prove(third, store, comparison=Comparison(manifest=second, store=store), server=drill)
    yield World(store, quiet, loud, second, forged)
    portal_database.server.drop_database(name)


def legal(connection: psycopg.Connection, rng: random.Random) -> None:
    """A day of the product: late first conversions on old rows, new decisions, some of them converted."""
    for _ in range(CONVERSIONS):
        decide(connection, rng)
        convert(connection, rng)


def test_legal_days_raise_nothing(world: World) -> None:
    assert world.quiet.status == "proven"
    assert world.quiet.findings == ()
    assert world.quiet.examined.not_compared == ""
    assert world.quiet.examined.rows_loaded > 0


def test_thirty_kinds_were_forged(world: World) -> None:
    assert len(KINDS) >= 30
    assert world.forged.kinds == dict.fromkeys(KINDS, N)


@pytest.mark.parametrize("code", BY_ROW)
def test_each_forgery_is_found_with_exactly_its_rows(world: World, code: str) -> None:
    finding = world.found(code)

    assert finding.total == len(world.forged.rows[code]) > 0
    assert {row["id"] for row in finding.rows} <= world.forged.rows[code]
    assert len(finding.rows) == min(200, finding.total)


@pytest.mark.parametrize("code", BY_PLACE)
def test_what_does_not_follow_is_counted_exactly(world: World, code: str) -> None:
    assert world.found(code, BY_PLACE[code]).total == world.forged.numbers[code] > 0


def test_nothing_else_is_found(world: World) -> None:
    assert {finding.code for finding in world.loud.findings} == {*BY_ROW, *BY_PLACE}


@pytest.mark.parametrize("kind", UNKNOWABLE)
def test_what_nobody_can_know_is_named_beforehand(kind: str) -> None:
    watched = Watched("2026-11-01", "2026-12-01", (), 3600, 3600, True)

    assert UNKNOWABLE[kind] in " ".join(cannot_be_known(["2026-11"], True, watched, [], ""))


def test_the_rows_before_and_after_are_told(world: World) -> None:
    edited, gone = world.found("row_edited").rows, world.found("tail_cut").rows[0]

    assert all(row["before"] != row["after"] and row["before"].keys() == row["after"].keys() for row in edited)
    assert (gone["after"], len(gone["before"]["decision_hash"])) == ({}, 64)


def test_the_product_calls_most_forged_chains_valid(world: World) -> None:
    """It sees a link or a hash exchanged by itself, and nothing of all the rest."""
    said = world.loud.examined.verifier

    assert (said["problem"], said["invalid"]) == ("", 2 * N)


def test_what_lies_in_the_store_beside_the_run_names_no_row(world: World) -> None:
    text = str(as_document(world.loud))

    assert "row_edited" in text
    assert not any(row["id"] in text for finding in world.loud.findings for row in finding.rows if len(row["id"]) == 36)


def test_an_accepted_break_is_no_doubt(world: World, drill) -> None:
    """What a person explained, and nothing else, is accepted by its fingerprint."""
    from backups.archive.loader import Loader
    from backups.progress import SILENT
    from backups.proof.beside import Chains
    from backups.proof.source_checks import Doubts, _chains

    finding = world.found("chain_broken")
    with drill() as running:
        running.create_database("x")
        with postgres.connect(running.dsn("x"), read_only=False) as connection:
            loader = Loader(world.last, world.store, connection, (), SILENT)
            loader.build("before", everything=True)
            loader.load(world.last.table(AUDIT))
            connection.execute("DELETE FROM public.algorithm_audit_trail WHERE sequence_number = 2")
            told, silent, table = Doubts(), Doubts(), world.last.table(AUDIT)
            key = (table.schema, table.name)
            found = Chains(postgres.chain_heads(connection, key), postgres.chain_damage(connection, key, 50))
            _chains(loader, table, found, frozenset(), told)
            _chains(loader, table, found, frozenset({told.findings[0].fingerprint}), silent)
    assert (len(told.texts) > 0, silent.texts, finding.code) == (True, [], "chain_broken")


@pytest.mark.parametrize("fmt", ["csv", "binary"])
def test_a_column_that_came_or_widened_is_no_edit_and_one_that_went_is_told(
    sampelit_copy, tmp_path: Path, drill, fmt: str
) -> None:
    from dataclasses import replace

    from tests.backups.conftest import AUDIT as POLICY

    store, policy = open_store(f"file://{tmp_path}"), replace(POLICY, format=fmt)
    before = exported(sampelit_copy["export"], store, policy)
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        connection.execute(
            "ALTER TABLE algorithm_audit_trail ADD COLUMN note text DEFAULT 'new', DROP COLUMN user_agent_hash,"
            " ALTER COLUMN conversion_value TYPE numeric(12, 4), ALTER COLUMN visitor_id TYPE text"
        )
        connection.execute(
            "UPDATE algorithm_audit_trail SET context_hash = 'forged' WHERE id IN"
            " (SELECT id FROM algorithm_audit_trail ORDER BY id LIMIT 2)"
        )
    after = exported(sampelit_copy["export"], store, policy)

    verdict = prove(after, store, comparison=Comparison(manifest=before, store=store), server=drill)

    assert [(finding.code, finding.total) for finding in verdict.findings] == [("table_gone", 1), ("row_edited", 2)]
    assert "user_agent_hash" in verdict.findings[0].summary


def test_an_earlier_run_that_cannot_be_read_is_told_and_the_copy_stays_proven(sampelit_copy, tmp_path, drill) -> None:
    store = open_store(f"file://{tmp_path}")
    before = exported(sampelit_copy["export"], store)
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        connection.execute("UPDATE algorithm_audit_trail SET context_hash = 'x' WHERE sequence_number = 1")
    after = exported(sampelit_copy["export"], store)
    for segment in before.table(AUDIT).segments:
        (tmp_path / segment.key).unlink()

    verdict = prove(after, store, comparison=Comparison(manifest=before, store=store), server=drill)

    assert verdict.status == "proven"
    assert f"{before.name} could not be read back" in verdict.examined.not_compared


def test_a_hostile_check_runs_without_power(sampelit_copy, tmp_path: Path, drill) -> None:
    """Its text comes from production's database: as the drill's superuser it could run programs of the worker."""
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        connection.execute("DROP FUNCTION verify_audit_chain(uuid)")
        connection.execute(
            "CREATE FUNCTION verify_audit_chain(e uuid) RETURNS TABLE (is_valid boolean) LANGUAGE plpgsql"
            " SECURITY DEFINER AS $$ BEGIN EXECUTE 'COPY (SELECT 1) TO PROGRAM ''touch /tmp/owned''';"
            " RETURN QUERY SELECT true; END $$"
        )
    store = open_store(f"file://{tmp_path}")

    verdict = prove(exported(sampelit_copy["export"], store), store, server=drill)

    assert verdict.status == "proven"
    assert "permission denied to COPY to or from an external program" in str(verdict.examined.verifier["problem"])


def test_the_whole_database_asks_the_products_check_as_well(sampelit, tmp_path: Path, drill) -> None:
    """There the function is restored already, by somebody else."""
    store = open_store(f"file://{tmp_path}")

    verdict = prove(exported(sampelit["export"], store, PolicySpec("all", "production", ("*",))), store, server=drill)

    assert verdict.examined.verifier == {"chains": 4, "rows": 600, "invalid": 0, "problem": ""}


@pytest.mark.parametrize("others", [0, 2])
def test_a_cancelled_comparison_stops_its_statement(empty_database: str, others: int) -> None:
    """The loader's own, or those of the sessions that it is given."""
    from types import SimpleNamespace

    from backups.progress import Watch
    from backups.proof.row_comparison import attended

    def cancelled() -> None:
        raise InterruptedError

    with ExitStack() as stack:
        connection, *sessions = (stack.enter_context(postgres.connect(empty_database)) for _ in range(1 + others))
        loader = SimpleNamespace(connection=connection, watch=Watch(check=cancelled))
        threads = stack.enter_context(ThreadPoolExecutor(2))

        def sleep() -> None:
            for slept in [threads.submit(each.execute, "SELECT pg_sleep(60)") for each in sessions or [connection]]:
                slept.exception()

        with pytest.raises(InterruptedError):
            attended(loader, sleep, sessions)  # type: ignore[arg-type]
        asleep = "state = 'active' AND query LIKE '%pg_sleep(60)%'"
        running = connection.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {asleep}".encode())
        assert running.fetchone() == (1,)  # this one, which asks


def test_a_check_that_fails_in_one_session_ends_in_the_other(sampelit_copy, tmp_path: Path, drill) -> None:
    """And what is told is why it failed, not that the other was cancelled."""
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        (first,) = connection.execute(f"SELECT min(experiment_id::text) FROM {AUDIT}").fetchone() or ("",)
        connection.execute("DROP FUNCTION verify_audit_chain(uuid)")
        connection.execute(
            "CREATE FUNCTION verify_audit_chain(e uuid) RETURNS TABLE (is_valid boolean) LANGUAGE plpgsql AS $$ BEGIN"
            f" IF e <> '{first}' THEN RAISE division_by_zero; END IF; PERFORM pg_sleep(50); END $$"
        )
    store = open_store(f"file://{tmp_path}")
    began = time.monotonic()

    verdict = prove(exported(sampelit_copy["export"], store), store, server=drill)

    assert "22012" in str(verdict.examined.verifier["problem"])
    assert time.monotonic() - began < 45
