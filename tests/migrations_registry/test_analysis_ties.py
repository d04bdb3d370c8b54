"""A new relation to which the file ties older rows is no new one: each way to tie times each way to lose."""

from __future__ import annotations

import pytest

from migrations_registry.analysis import analyse

# What the file makes, ties to an older table, and calls it by.
HOLDS = {
    "a partition": "CREATE TABLE p (id int) PARTITION BY RANGE (id); "
    "ALTER TABLE p ATTACH PARTITION orders FOR VALUES FROM (1) TO (9)",
    "the default partition": "CREATE TABLE p (id int) PARTITION BY LIST (id); "
    "ALTER TABLE p ATTACH PARTITION orders DEFAULT",
    "an heir": "CREATE TABLE p (); ALTER TABLE orders INHERIT p",
    "a foreign partition": "CREATE TABLE p (id int) PARTITION BY LIST (id); "
    "CREATE FOREIGN TABLE far PARTITION OF p DEFAULT SERVER away",
    "a foreign heir": "CREATE TABLE p (id int); CREATE FOREIGN TABLE far (n int) INHERITS (p) SERVER away",
}
SHOWS = {
    "a view": "CREATE VIEW p AS SELECT * FROM orders",
    "a replaced view": "CREATE OR REPLACE VIEW p AS SELECT * FROM orders WHERE id > 3",
    "a temporary view": "CREATE TEMP VIEW p AS SELECT * FROM orders",
    "a view of a view": "CREATE VIEW o AS SELECT * FROM orders; CREATE VIEW p AS SELECT id FROM o",
    "a renamed view": "CREATE VIEW o AS SELECT * FROM orders; ALTER VIEW o RENAME TO p",
    "a moved view": "CREATE VIEW app.p AS SELECT * FROM orders; ALTER VIEW app.p SET SCHEMA public",
    "other names for columns": "CREATE VIEW p (id, note) AS SELECT id, code FROM orders",
    "a new column's name": "ALTER TABLE orders ADD COLUMN note text; "
    "CREATE VIEW p AS SELECT id, code AS note FROM orders",
}
ELSEWHERE = {
    "a foreign table": "CREATE FOREIGN TABLE p (id int, note text) SERVER away",
    "a renamed foreign table": "CREATE FOREIGN TABLE o (id int) SERVER away; ALTER FOREIGN TABLE o RENAME TO p",
    "a moved foreign table": "CREATE FOREIGN TABLE app.p (id int) SERVER away; ALTER TABLE app.p SET SCHEMA public",
    "a view of a foreign table": "CREATE FOREIGN TABLE o (id int) SERVER away; CREATE VIEW p AS SELECT * FROM o",
}
OWNS = {
    "a sequence": "CREATE TABLE p (id bigint); ALTER SEQUENCE ticket OWNED BY p.id",
    "a sequence of a qualified name": "CREATE TABLE p (id bigint); ALTER SEQUENCE app.ticket OWNED BY public.p.id",
    "a sequence of a renamed table": "CREATE TABLE o (id bigint); ALTER SEQUENCE ticket OWNED BY o.id; "
    "ALTER TABLE o RENAME TO p",
    "a sequence once more": "CREATE TABLE p (id bigint); ALTER SEQUENCE ticket OWNED BY orders.id; "
    "ALTER SEQUENCE ticket OWNED BY p.id",
}
REFERS = {
    "a key": "CREATE TABLE p (id int PRIMARY KEY); "
    "ALTER TABLE orders ADD FOREIGN KEY (code) REFERENCES p ON DELETE CASCADE NOT VALID",
    "a key of a new column": "CREATE TABLE p (id int PRIMARY KEY); "
    "ALTER TABLE orders ADD COLUMN c int REFERENCES p ON DELETE SET NULL",
}
LOSES = ("DELETE FROM p", "DELETE FROM p WHERE id = 1", "DELETE FROM p AS x WHERE x.id > 1")
OVERWRITES = ("UPDATE p SET note = NULL", "UPDATE p AS x SET note = '' WHERE true")
EMPTIES = ("TRUNCATE p", "DROP TABLE p", "DROP TABLE p CASCADE", "ALTER TABLE p DROP COLUMN id")
MERGES = ("MERGE INTO p USING lines ON lines.id = p.id WHEN MATCHED THEN DELETE",)
DANGEROUS = [
    *((made, lost) for made in HOLDS for lost in (*LOSES, *OVERWRITES, *EMPTIES, *MERGES)),
    *((made, lost) for made in SHOWS | ELSEWHERE for lost in (*LOSES, *OVERWRITES, *MERGES)),
    *((made, lost) for made in REFERS for lost in (*LOSES, *MERGES, "TRUNCATE p CASCADE")),
    *((made, lost) for made in OWNS for lost in ("TRUNCATE p RESTART IDENTITY", *EMPTIES[1:])),
    ("a foreign table", "TRUNCATE p"),
]
HARMLESS = (
    "CREATE FOREIGN TABLE p (id int) SERVER away; INSERT INTO lines SELECT id FROM p; DROP FOREIGN TABLE p",
    "CREATE FOREIGN TABLE p (id int) SERVER away; ALTER FOREIGN TABLE p ALTER COLUMN id TYPE bigint",
    "CREATE FOREIGN TABLE p (id int) SERVER away; DROP FOREIGN TABLE p; CREATE TABLE p (id int); DELETE FROM p",
    "CREATE TABLE p (id bigint); ALTER SEQUENCE ticket OWNED BY p.id; CREATE INDEX i ON p (id); "
    "ALTER SEQUENCE ticket OWNED BY NONE; DROP TABLE p",
    "CREATE TABLE p (id bigint); ALTER SEQUENCE ticket OWNED BY p.id; ALTER SEQUENCE ticket OWNED BY orders.id; "
    "DROP TABLE p",
    "CREATE TABLE p (id bigint); CREATE SEQUENCE s; ALTER SEQUENCE s OWNED BY p.id; DROP TABLE p",
    "CREATE VIEW p AS SELECT * FROM orders; DROP VIEW p",
    "CREATE VIEW p AS SELECT * FROM orders; ALTER VIEW p RENAME TO q; DROP VIEW q",
    "CREATE TABLE x (id bigint PRIMARY KEY); CREATE VIEW p AS SELECT * FROM x; DELETE FROM p",
    "CREATE TABLE p (id bigint PRIMARY KEY); DELETE FROM p",
    "CREATE VIEW p AS SELECT * FROM orders; DROP VIEW p; CREATE TABLE p (id bigint PRIMARY KEY); DELETE FROM p",
    "CREATE TABLE p (id bigint PRIMARY KEY); INSERT INTO p VALUES (1); ALTER TABLE orders ADD COLUMN c bigint; "
    "ALTER TABLE orders ADD CONSTRAINT k FOREIGN KEY (c) REFERENCES p NOT VALID; UPDATE p SET id = 2",
    "CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE q (id int); "
    "ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (1) TO (9); DROP TABLE p",
    "CREATE VIEW p AS SELECT * FROM p; SELECT 1",
)
# A SELECT without columns is one too, wherever a query may stand.
NO_COLUMNS = (
    "CREATE VIEW p AS SELECT FROM orders",
    "CREATE TEMP VIEW p AS SELECT FROM orders WHERE false",
    "CREATE MATERIALIZED VIEW p AS SELECT FROM orders",
    "CREATE TABLE app.p AS SELECT FROM orders",
    "CREATE POLICY p ON app.t FOR SELECT USING (EXISTS (SELECT FROM orders WHERE id = auth.uid()))",
    "CREATE FUNCTION p() RETURNS boolean LANGUAGE sql AS 'SELECT'",
    "CREATE FUNCTION p() RETURNS boolean BEGIN ATOMIC SELECT; END",
    "MERGE INTO t USING (SELECT FROM orders) s ON true WHEN MATCHED THEN DO NOTHING",
    "INSERT INTO t SELECT FROM orders",
    "WITH p AS (SELECT FROM orders) SELECT FROM p",
    "COPY (SELECT FROM orders) TO STDOUT",
    "DO $$ BEGIN PERFORM; EXECUTE 'SELECT FROM orders'; END $$",
)
WAYS = HOLDS | SHOWS | ELSEWHERE | OWNS | REFERS


@pytest.mark.parametrize(("made", "lost"), DANGEROUS)
def test_older_rows_are_older_by_any_name(made: str, lost: str) -> None:
    assert analyse(f"{WAYS[made]}; {lost}".encode(), as_runner=True).risk == "destructive"


def test_a_dropped_type_takes_the_older_column_along() -> None:
    text = (
        b"CREATE TYPE m AS ENUM ('a'); ALTER TABLE orders ALTER COLUMN code TYPE m USING code::m; DROP TYPE m CASCADE"
    )

    assert analyse(text, as_runner=True).risk == "destructive"


@pytest.mark.parametrize("text", [*HARMLESS, *NO_COLUMNS])
def test_what_only_the_file_filled_is_its_own(text: str) -> None:
    assert analyse(text.encode(), as_runner=True).risk == "routine"
