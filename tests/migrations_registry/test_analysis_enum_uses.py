"""A new enum value in the transaction that adds it: a real server refuses what is told, and takes what is not."""

from __future__ import annotations

import psycopg
import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.facts import CatalogFacts

ADDED = "ALTER TYPE mood ADD VALUE 'calm'; "
REFUSED = (
    "UPDATE orders SET status = 'calm' WHERE id = 1",
    "UPDATE orders AS o SET note = 'x' WHERE o.status = 'calm'",
    "INSERT INTO orders (id, customer_id, status) VALUES (900, 1, 'sad'), (901, 1, 'calm')",
    "INSERT INTO orders (id, customer_id, status) SELECT 902, 1, 'calm' FROM lines",
    "DELETE FROM orders WHERE status IN ('calm', 'sad')",
    "SELECT * FROM orders WHERE status <> 'calm'",
    "SELECT 'calm'::mood",
    "CREATE VIEW v AS SELECT id FROM orders WHERE status = 'calm'",
    "CREATE MATERIALIZED VIEW v AS SELECT id FROM orders WHERE status = 'calm'",
    "CREATE POLICY p ON orders USING (status = 'calm')",
    "CREATE FUNCTION f() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM orders WHERE status = 'calm'; END",
    "CREATE INDEX i ON orders (id) WHERE status = 'calm'",
    "CREATE TABLE x (a mood DEFAULT 'calm')",
    "ALTER TABLE orders ADD COLUMN x mood DEFAULT 'calm'",
    "ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'calm'",
    "ALTER TABLE orders ADD CONSTRAINT c CHECK (status <> 'calm')",
    "DO $$ BEGIN UPDATE orders SET status = 'calm' WHERE id = 1; END $$",
)
TAKEN = (
    "UPDATE orders SET note = 'calm' WHERE id = 1",
    "INSERT INTO orders (id, customer_id, note, code) VALUES (903, 1, 'calm', 'calm')",
    "INSERT INTO orders (id, customer_id, note) SELECT 904, 1, 'calm' FROM lines WHERE id = 1",
    "SELECT 'calm', length('calm')",
    "SELECT 'calm'::text FROM orders WHERE note = 'calm'",
    "CREATE TABLE x (a text DEFAULT 'calm', b varchar(9) CHECK (b <> 'calm'))",
    "CREATE VIEW v AS SELECT id, 'calm' AS label FROM orders WHERE note = 'calm'",
    "COMMENT ON TABLE orders IS 'calm'",
    "ALTER TABLE orders ADD COLUMN x text DEFAULT 'calm'",
)
OWN = "CREATE TYPE own AS ENUM ('a'); ALTER TYPE own ADD VALUE 'calm'; CREATE TABLE x (a own DEFAULT 'calm')"


def is_told(text: str, facts: CatalogFacts | None) -> bool:
    found = analyse(f"BEGIN; {text}; COMMIT".encode(), facts=facts).findings
    return "MT-ENUM-USE" in {finding.rule for finding in found}


def is_refused(text: str, dsn: str) -> bool:
    with psycopg.connect(dsn) as connection:
        try:
            connection.execute(text.encode())
        except psycopg.errors.UnsafeNewEnumValueUsage:
            return True
        finally:
            connection.rollback()
    return False


@pytest.mark.parametrize("text", [*(ADDED + text for text in (*REFUSED, *TAKEN)), OWN])
def test_what_the_server_refuses_is_told_and_nothing_else(text: str, proof_dsn: str, proof_facts: CatalogFacts) -> None:
    refused = is_refused(text, proof_dsn)

    assert refused == (text.removeprefix(ADDED) in REFUSED)
    assert is_told(text, proof_facts) == refused
    assert is_told(text, None) == refused
