"""Forgeries that the product's own verify_audit_chain() calls valid, each found at the next run; legal changes are not.

OPS_TEST_FORGERIES of each kind share one run; OPS_TEST_CONVERSIONS legal late conversions raise nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from backups.archive.manifest import Manifest
from backups.policy_spec import PolicySpec
from backups.proof.comparison import Comparison
from backups.proof.findings import Finding
from backups.proof.prove import Verdict, as_document, prove
from providers import postgres
from providers.storage.base import Store
from providers.storage.factory import open_store
from sandbox import database
from sandbox.chain import decision_hash
from sandbox.traffic import convert, decide
from tests import portal_database, sampling
from tests.backups.conftest import exported

N = sampling.size("FORGERIES")
CONVERSIONS = sampling.size("CONVERSIONS")
LENGTH = 12
AUDIT = "public.algorithm_audit_trail"
Chains = list[str]


@dataclass(frozen=True)
class World:
    """Three runs: as it was, after a legal day, after the forgeries; what was forged, by kind, as row ids."""

    store: Store
    quiet: Verdict
    loud: Verdict
    last: Manifest
    forged: dict[str, set[str]]

    def found(self, code: str) -> Finding:
        return next(finding for finding in self.loud.findings if finding.code == code and finding.subject == AUDIT)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, drill: Callable) -> Iterator[World]:
    store = open_store(f"file://{tmp_path_factory.mktemp('tamper')}/store")
    name = f"tamper_{uuid4().hex[:12]}"
    database.create(portal_database.server, name, rows=3 * N * LENGTH + CONVERSIONS, experiments=3 * N)
    dsns = database.dsns(portal_database.server, name)
    first = exported(dsns["export"], store)
    with psycopg.connect(dsns["admin"], autocommit=True) as connection:
        legal(connection, random.Random(8))
        second = exported(dsns["export"], store)
        forged = forge_all(connection, random.Random(9))
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


def forge_all(connection: psycopg.Connection, rng: random.Random) -> dict[str, set[str]]:
    chains = ids(connection, "SELECT id FROM experiments ORDER BY id")
    rng.shuffle(chains)
    removed, cut, holed = chains[:N], chains[N : 2 * N], chains[2 * N :]
    trail = "SELECT id FROM algorithm_audit_trail WHERE"
    last = (
        "sequence_number > (SELECT max(sequence_number) - 2 FROM algorithm_audit_trail t"
        " WHERE t.experiment_id = algorithm_audit_trail.experiment_id)"
    )
    forged = {
        "chain_removed": set(ids(connection, f"{trail} experiment_id = ANY (%s)", removed)),
        "tail_cut": set(ids(connection, f"{trail} experiment_id = ANY (%s) AND {last}", cut)),
        "rows_removed": set(ids(connection, f"{trail} experiment_id = ANY (%s) AND sequence_number = 2", holed)),
        "conversion_changed": convert_again(connection, holed),
        "row_edited": rehash(connection, cut) | edit_unhashed(connection, holed),
    }
    connection.execute("DELETE FROM experiments WHERE id = ANY (%s)", [removed])
    for code in ("tail_cut", "rows_removed"):
        connection.execute("DELETE FROM algorithm_audit_trail WHERE id = ANY (%s)", [list(forged[code])])
    forged["row_edited"] -= forged["tail_cut"]
    return forged


def ids(connection: psycopg.Connection, query: str, *values: object) -> Chains:
    return [str(row[0]) for row in connection.execute(query, values)]


def convert_again(connection: psycopg.Connection, chains: Chains) -> set[str]:
    """A later conversion over one that was set, one withdrawn, and a value changed where the time stays."""
    changes = (
        "conversion_value = coalesce(conversion_value, 0) + 1000",
        "conversion_observed = false, conversion_timestamp = NULL, conversion_value = NULL",
        "conversion_timestamp = conversion_timestamp - interval '1 day'",
    )
    changed: set[str] = set()
    for number, chain in enumerate(chains):
        update = (
            f"UPDATE algorithm_audit_trail SET {changes[number % 3]} WHERE id ="
            " (SELECT id FROM algorithm_audit_trail WHERE experiment_id = %s AND conversion_observed"
            " AND sequence_number <> 2 ORDER BY random() LIMIT 1) RETURNING id"
        )
        changed |= set(ids(connection, update, chain))
    return changed


def edit_unhashed(connection: psycopg.Connection, chains: Chains) -> set[str]:
    """Columns that no hash covers; another row than the conversions'."""
    return set(
        ids(
            connection,
            "UPDATE algorithm_audit_trail SET context_hash = repeat('0', 64) WHERE experiment_id = ANY (%s)"
            " AND sequence_number = 3 AND NOT conversion_observed RETURNING id",
            chains,
        )
    )


def rehash(connection: psycopg.Connection, chains: Chains) -> set[str]:
    """Another visitor in row 2, and every hash and link from there on computed anew: the chain holds by itself."""
    edited: set[str] = set()
    columns = "id, visitor_id, selected_variant_id, segment_key, decision_timestamp, sequence_number, previous_hash"
    for chain in chains:
        previous = None
        query = (
            f"SELECT {columns} FROM algorithm_audit_trail WHERE experiment_id = %s AND sequence_number >= 2 ORDER BY 6"
        )
        for key, visitor, variant, segment, at, sequence, link in connection.execute(query, [chain]).fetchall():
            visitor, link = ("forged" if sequence == 2 else visitor), previous or link
            previous = decision_hash(visitor, variant, segment, at, link, sequence)
            connection.execute(
                "UPDATE algorithm_audit_trail SET visitor_id = %s, previous_hash = %s, decision_hash = %s"
                " WHERE id = %s",
                [visitor, link, previous, key],
            )
            edited.add(str(key))
    return edited


def test_legal_days_raise_nothing(world: World) -> None:
    assert world.quiet.status == "proven"
    assert world.quiet.findings == ()
    assert world.quiet.examined.not_compared == ""
    assert world.quiet.examined.rows_loaded > 0


@pytest.mark.parametrize("code", ["row_edited", "conversion_changed", "rows_removed", "tail_cut", "chain_removed"])
def test_each_forgery_is_found_with_exactly_its_rows(world: World, code: str) -> None:
    finding = world.found(code)

    assert finding.total == len(world.forged[code]) > 0
    assert {row["id"] for row in finding.rows} <= world.forged[code]
    assert len(finding.rows) == min(200, finding.total)


def test_the_rows_before_and_after_are_told(world: World) -> None:
    edited = next(row for row in world.found("row_edited").rows if row["after"]["visitor_id"] == "forged")
    gone = world.found("tail_cut").rows[0]

    assert edited["before"]["visitor_id"] != "forged"
    assert edited["before"]["decision_timestamp"] == edited["after"]["decision_timestamp"]
    assert (gone["after"], len(gone["before"]["decision_hash"])) == ({}, 64)


def test_the_product_calls_every_forged_chain_valid(world: World) -> None:
    said = world.loud.examined.verifier

    assert (said["problem"], said["invalid"]) == ("", 0)
    assert said["chains"] == 2 * N


def test_a_hole_breaks_the_chain_and_leaves_assignments_unaudited(world: World) -> None:
    broken = world.found("chain_broken")
    unaudited = next(finding for finding in world.loud.findings if finding.code == "assignment_unaudited")

    assert broken.total == N
    assert unaudited.total > 0  # the youngest may still be written, and are not told yet


def test_what_lies_in_the_store_beside_the_run_names_no_row(world: World) -> None:
    text = str(as_document(world.loud))

    assert "row_edited" in text
    assert not any(row["id"] in text for finding in world.loud.findings for row in finding.rows if len(row["id"]) == 36)


def test_an_accepted_break_is_no_doubt(world: World, drill) -> None:
    """What a person explained, and nothing else, is accepted by its fingerprint."""
    from backups.archive.loader import Loader
    from backups.progress import SILENT
    from backups.proof import beside
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
            found = beside._chains(connection, (table.schema, table.name))
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
    assert f"Run {before.run} could not be read back" in verdict.examined.not_compared


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


def test_a_cancelled_comparison_stops_its_statement(empty_database: str) -> None:
    from types import SimpleNamespace

    from backups.progress import Watch
    from backups.proof.row_comparison import attended

    def cancelled() -> None:
        raise InterruptedError

    with postgres.connect(empty_database, read_only=False) as connection:
        loader = SimpleNamespace(connection=connection, watch=Watch(check=cancelled))
        with pytest.raises(InterruptedError):
            attended(loader, lambda: connection.execute("SELECT pg_sleep(60)"))  # type: ignore[arg-type]
        running = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%'")
        assert running.fetchone() == (1,)  # this one, which asks
