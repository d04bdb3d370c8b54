"""The server is asked what it really does: locks, rewrites and scans of each bad sample against what its rule says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.model import AX, STRENGTH, Statement
from migrations_registry.analysis.parsing.parser import Raw, parse
from migrations_registry.analysis.rule_registry import CATALOGUE

LOCK_NAMES = {f"{''.join(word.title() for word in lock.split())}Lock": lock for lock in STRENGTH}
CATALOG = "MD-SYSTEM-CATALOG"
OURS = "(relnamespace >= 16384 OR relnamespace = 2200)"
KINDS = "SELECT oid, relkind IN ('r', 'm', 'S'), pg_relation_filenode(oid) FROM pg_class WHERE {}"
SCANS = (
    "SELECT relid, pg_stat_get_xact_numscans(relid), pg_stat_get_xact_tuples_returned(relid) FROM pg_stat_user_tables"
)
FILLED = "SELECT oid FROM pg_class WHERE reltuples > 0"
# The statement that reads rows comes before the one that is reported.
READS_EARLIER = "ML-BACKFILL-IN-DDL-TX"
# The column that it fills was added under a stronger lock, in the same transaction.
HOLDS_EARLIER = "ML-UPDATE-FILL"
HELD = "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND granted AND relation IS NOT NULL"
ASKED = "SELECT mode FROM pg_locks WHERE pid = %s AND relation IS NOT NULL AND mode <> 'AccessShareLock'"


@dataclass(frozen=True)
class Observed:
    """What the server did to relations that existed before the sample; locks are those held in its transaction."""

    lock: str | None
    rewrite: bool
    scan: bool


def observe(connection: psycopg.Connection, rule_id: str, text: str) -> Observed:
    """Run every statement but the last, look, run the last, look again; the caller rolls back."""
    data, ours = text.encode(), "true" if rule_id == CATALOG else OURS
    *before, last = [piece for piece in parse(data) if isinstance(piece, Raw) and piece.kind != "TransactionStmt"]
    existing = {oid: node for oid, stored, node in connection.execute(KINDS.format(ours)) if stored}
    known = {oid for oid, _, _ in connection.execute(KINDS.format(ours))}
    for piece in before:
        connection.execute(data[piece.start : piece.end])
    scans = {} if rule_id == READS_EARLIER else {oid: counts for oid, *counts in connection.execute(SCANS)}
    filled = {oid for (oid,) in connection.execute(FILLED)}
    connection.execute(data[last.start : last.end])
    held = [LOCK_NAMES[mode] for relation, mode in connection.execute(HELD) if relation in known]
    files = {oid: node for oid, _, node in connection.execute(KINDS.format(ours))}
    scanned = False
    for oid, count, rows in connection.execute(SCANS):
        before_count, before_rows = scans.get(oid, (0, 0))
        scanned |= oid in known and count > before_count and (rows > before_rows or oid not in filled)
    rewritten = any(oid in files and files[oid] != node for oid, node in existing.items())
    return Observed(max(held, key=STRENGTH.__getitem__, default=None), rewritten, scanned)


def claimed(text: str, facts: CatalogFacts, version: int = 17) -> Statement:
    """The analysis of the last statement that is not COMMIT."""
    analysis = analyse(text.encode(), pg_version=version, facts=facts)
    return [statement for statement in analysis.statements if statement.kind != "TransactionStmt"][-1]


def agree(rule_id: str, seen: Observed, statement: Statement) -> None:
    """The rule claims no more than was seen, and the statement's findings together claim exactly that."""
    rule = CATALOGUE[rule_id]
    finding = next(finding for finding in statement.findings if finding.rule == rule_id)
    assert finding.lock is None or (seen.lock is not None and STRENGTH[finding.lock] <= STRENGTH[seen.lock])
    assert (finding.rewrite, finding.scan) <= (seen.rewrite, seen.scan)
    assert statement.lock == seen.lock
    assert any(finding.rewrite for finding in statement.findings) == seen.rewrite
    assert any(finding.scan for finding in statement.findings) == seen.scan
    assert rule.lock is None or rule.lock == finding.lock or rule_id == "ML-LOCK-TABLE"


def is_claim(rule_id: str) -> bool:
    """Whether the rule says anything that a server can confirm."""
    rule = CATALOGUE[rule_id]
    return bool(rule.lock or rule.rewrite or rule.scan)


ALL = [(rule.id, text) for rule in CATALOGUE.values() if is_claim(rule.id) for text in rule.bad]
NEWER = [claim for claim in ALL if CATALOGUE[claim[0]].versions.startswith("18")]
OUTSIDE = [
    claim for claim in ALL if not all(statement.transactional for statement in analyse(claim[1].encode()).statements)
]
INSIDE = [claim for claim in ALL if claim not in NEWER and claim not in OUTSIDE and claim[0] != HOLDS_EARLIER]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("rule_id", "text"), INSIDE)
def test_claim_in_a_transaction(rule_id: str, text: str, proof_dsn: str, proof_facts: CatalogFacts) -> None:
    with psycopg.connect(proof_dsn) as connection:
        connection.execute(
            "SELECT set_config('enable_seqscan', %s, true)", ["on" if rule_id == READS_EARLIER else "off"]
        )

        seen = observe(connection, rule_id, text)
        connection.rollback()

    agree(rule_id, seen, claimed(text, proof_facts))


def waits_for(dsn: str, text: str, mode: str) -> str:
    """The strongest lock that a statement holds or waits for while somebody holds the tables in `mode`."""
    with (
        psycopg.connect(dsn) as blocker,
        psycopg.connect(dsn, autocommit=True) as worker,
        psycopg.connect(dsn) as watcher,
    ):
        blocker.execute(f"LOCK TABLE orders, events, lines IN {mode} MODE")
        worker.execute("SET lock_timeout = '20s'")
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(worker.execute, text)
            while not done.done():
                watcher.rollback()
                waiting = "SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted AND relation IS NOT NULL"
                if watcher.execute(waiting, [worker.info.backend_pid]).fetchone():
                    break
            modes = [LOCK_NAMES[mode] for (mode,) in watcher.execute(ASKED, [worker.info.backend_pid])]
            blocker.rollback()
            watcher.rollback()
            done.result()
    return max(modes, key=STRENGTH.__getitem__)


@pytest.mark.parametrize(("rule_id", "text"), OUTSIDE)
def test_claim_outside_a_transaction(rule_id: str, text: str, copy_dsn: str, proof_facts: CatalogFacts) -> None:
    with psycopg.connect(copy_dsn, autocommit=True) as connection:
        before = {oid: node for oid, stored, node in connection.execute(KINDS.format(OURS)) if stored}

    claim = CATALOGUE[rule_id].lock
    lock = waits_for(copy_dsn, text, "ACCESS SHARE" if claim == AX else AX)

    with psycopg.connect(copy_dsn, autocommit=True) as connection:
        after = {oid: node for oid, _, node in connection.execute(KINDS.format(OURS))}
    statement = claimed(text, proof_facts)
    assert statement.lock == lock == claim
    assert any(finding.rewrite for finding in statement.findings) == (before != {oid: after.get(oid) for oid in before})


@pytest.mark.parametrize(("rule_id", "text"), NEWER)
def test_claim_of_a_newer_version_is_refused_here(rule_id: str, text: str, proof_dsn: str) -> None:
    """The embedded server is 17: when it learns these forms, this test fails and they move to the measured ones."""
    with psycopg.connect(proof_dsn) as connection, pytest.raises(psycopg.errors.SyntaxError):
        connection.execute(text)
