"""The sandbox's Sampelit: independently recomputed hashes, one seed one content, roles that hold."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from sandbox import database
from sandbox.people import visitor
from sandbox.traffic import Traffic, convert, decide
from tests import portal_database
from tests.waiting import until

TABLES_WITH_POLICIES = 9


def escaped(text: str) -> str:
    """JSON's ASCII form written by hand, so that the check does not share the seed's encoder."""
    short = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
    out = []
    for char in text:
        if char in short:
            out.append(short[char])
        elif 0x20 <= ord(char) < 0x7F:
            out.append(char)
        else:
            raw = char.encode("utf-16-be")
            out += [f"\\u{raw[i]:02x}{raw[i + 1]:02x}" for i in range(0, len(raw), 2)]
    return '"' + "".join(out) + '"'


def recomputed(row: dict[str, Any]) -> str:
    at = row["decision_timestamp"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").removesuffix(".000000") + "+00:00"
    text = (
        f'{{"previous_hash": "{row["previous_hash"] or ""}", "segment_key": {escaped(row["segment_key"])}, '
        f'"sequence_number": {row["sequence_number"]}, "timestamp": "{at}", '
        f'"variant_id": "{row["selected_variant_id"]}", "visitor_id": {escaped(row["visitor_id"])}}}'
    )
    return hashlib.sha256(text.encode()).hexdigest()


def chains(dsn: str) -> dict[Any, list[dict[str, Any]]]:
    by_chain: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    with psycopg.connect(dsn, row_factory=psycopg.rows.dict_row) as connection:
        for row in connection.execute("SELECT * FROM algorithm_audit_trail ORDER BY experiment_id, sequence_number"):
            by_chain[row["experiment_id"]].append(row)
    return by_chain


def assert_valid(by_chain: dict[Any, list[dict[str, Any]]]) -> None:
    for rows in by_chain.values():
        previous = None
        for expected, row in enumerate(rows, 1):
            assert row["sequence_number"] == expected
            assert row["previous_hash"] == previous
            assert row["decision_hash"] == recomputed(row), row
            previous = row["decision_hash"]


def scalar(dsn: str, query: str) -> Any:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


def test_every_seeded_hash_is_right_including_non_ascii(sampelit: dict[str, str]) -> None:
    by_chain = chains(sampelit["export"])

    assert_valid(by_chain)
    assert (len(by_chain), sum(map(len, by_chain.values()))) == (4, 600)
    assert any(not row["visitor_id"].isascii() for rows in by_chain.values() for row in rows)


def test_a_hundredth_of_the_visitors_are_not_ascii() -> None:
    rng = random.Random(7)
    odd = sum(not visitor(rng).isascii() for _ in range(20_000))

    assert 100 < odd < 300


def test_each_assignment_has_its_audit_row_and_conversion(sampelit: dict[str, str]) -> None:
    orphans = """
        SELECT count(*) FROM algorithm_audit_trail a FULL JOIN assignments s
          ON s.id = a.assignment_id AND s.experiment_id = a.experiment_id AND s.user_id = a.visitor_id
          AND s.converted_at IS NOT DISTINCT FROM a.conversion_timestamp
          AND s.conversion_value IS NOT DISTINCT FROM a.conversion_value
        WHERE a.id IS NULL OR s.id IS NULL OR a.conversion_observed <> (a.conversion_timestamp IS NOT NULL)
    """
    assert scalar(sampelit["export"], orphans) == 0


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    server = portal_database.server
    digest = "SELECT sum(hash_record_extended(a, 0))::text FROM algorithm_audit_trail a"
    sums = []
    for name, seed in (("seeded_a", 5), ("seeded_b", 5), ("seeded_c", 6)):
        database.create(server, name, rows=40, experiments=2, seed=seed)
        sums.append(scalar(server.dsn(name), digest))
        server.drop_database(name)

    assert sums[0] == sums[1] != sums[2]


def test_traffic_keeps_the_chains_valid(sampelit_copy: dict[str, str]) -> None:
    rng = random.Random(3)
    with psycopg.connect(sampelit_copy["app"], autocommit=True) as connection:
        for _ in range(40):
            decide(connection, rng)
            convert(connection, rng, datetime(2027, 1, 1, tzinfo=UTC))

    by_chain = chains(sampelit_copy["export"])
    assert_valid(by_chain)
    assert sum(map(len, by_chain.values())) == 640
    assert scalar(sampelit_copy["export"], "SELECT count(*) FROM assignments") == 640


def test_the_traffic_thread_decides_until_it_is_stopped(sampelit_copy: dict[str, str]) -> None:
    before = scalar(sampelit_copy["export"], "SELECT count(*) FROM algorithm_audit_trail")
    traffic = Traffic(sampelit_copy["app"], rate=200, seed=1)
    traffic.start()
    until(lambda: traffic.decided >= 10)
    traffic.stop()

    assert scalar(sampelit_copy["export"], "SELECT count(*) FROM algorithm_audit_trail") == before + traffic.decided
    assert_valid(chains(sampelit_copy["export"]))


def test_visitors_stay_away_while_the_product_does_not_serve(sampelit_copy: dict[str, str]) -> None:
    asked: list[bool] = []
    traffic = Traffic(sampelit_copy["app"], rate=200, seed=1, serving=lambda: bool(asked.append(True)))
    traffic.start()
    until(lambda: len(asked) >= 5)
    traffic.stop()

    assert traffic.decided == 0


def test_the_export_role_reads_every_row_and_writes_none(sampelit: dict[str, str]) -> None:
    assert scalar(sampelit["export"], "SELECT count(*) FROM experiments") == 4
    with psycopg.connect(sampelit["export"], autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE users SET role = 'admin'")


def test_policies_hide_rows_from_the_limited_role(sampelit: dict[str, str]) -> None:
    protected = "SELECT count(*) FROM pg_class WHERE relrowsecurity AND relnamespace = 'public'::regnamespace"

    assert scalar(sampelit["export_limited"], "SELECT count(*) FROM experiments") == 0
    assert scalar(sampelit["export"], protected) == TABLES_WITH_POLICIES


def test_the_migration_role_alters_tables_and_later_tables_are_readable(sampelit_copy: dict[str, str]) -> None:
    with psycopg.connect(sampelit_copy["migration"], autocommit=True) as connection:
        connection.execute("ALTER TABLE users ADD COLUMN phone text; CREATE TABLE later AS SELECT 1 AS one")

    assert scalar(sampelit_copy["export"], "SELECT one FROM later") == 1


def test_the_restore_role_writes_tables_schemas_and_databases_but_is_no_superuser(
    sampelit_copy: dict[str, str],
) -> None:
    with psycopg.connect(sampelit_copy["restore"], autocommit=True) as connection:
        connection.execute("CREATE SCHEMA restored; CREATE TABLE restored.t (n int)")
        connection.execute("ALTER TABLE users DISABLE TRIGGER USER; ALTER TABLE users ENABLE TRIGGER USER")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE ROLE another")

    assert scalar(sampelit_copy["restore"], "SELECT rolcreatedb AND NOT rolsuper FROM pg_roles WHERE rolname = user")


def test_no_role_is_a_superuser(sampelit: dict[str, str]) -> None:
    assert scalar(sampelit["admin"], "SELECT count(*) FROM pg_roles WHERE rolsuper AND rolname <> 'postgres'") == 0


def test_the_products_own_verification_calls_a_hole_valid(sampelit_copy: dict[str, str]) -> None:
    hole = "DELETE FROM algorithm_audit_trail WHERE sequence_number = 7"
    verdict = "SELECT bool_and(is_valid) FROM experiments e, LATERAL verify_audit_chain(e.id)"
    with psycopg.connect(sampelit_copy["admin"], autocommit=True) as connection:
        connection.execute(hole)
        connection.execute("UPDATE algorithm_audit_trail SET visitor_id = 'forged' WHERE sequence_number = 3")

    assert scalar(sampelit_copy["admin"], verdict) is True
