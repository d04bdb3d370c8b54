"""Where the analysis does not say exactly what the servers do, each with its reason; anything else is a fault."""

from __future__ import annotations

# It says more than happens: what would have to be known is not in the text, nor among the live facts.
_NOT_THERE = "whether it is there is not asked of the catalog"
_SAME = "where or how it is stored now is not asked of the catalog"
_SMALL = "a condition that an index may answer, or rows of another table, may be many rows"
CAUTIOUS = {
    "DROP SCHEMA app CASCADE": "what is in the schema is not asked of the catalog",
    "ALTER DOMAIN positive VALIDATE CONSTRAINT positive_check": "no table has a column of it",
    "DROP TABLE IF EXISTS nowhere": _NOT_THERE,
    "DROP INDEX IF EXISTS nowhere": _NOT_THERE,
    "ALTER TABLE IF EXISTS nowhere ADD COLUMN x int": _NOT_THERE,
    "CREATE OR REPLACE VIEW x AS SELECT 1 AS a": _NOT_THERE,
    "CREATE INDEX IF NOT EXISTS orders_note_idx ON orders (note)": _NOT_THERE,
    "UPDATE pg_catalog.pg_class SET relname = 'y' WHERE relname = 'x'": "locks of catalogs are not measured",
    "DELETE FROM pg_attribute WHERE attname = 'x'": "locks of catalogs are not measured",
    "BEGIN; INSERT INTO lines SELECT id + 1000, id FROM orders; ALTER TABLE lines ADD COLUMN y int; COMMIT": _SMALL,
    "BEGIN; ALTER TABLE orders ADD COLUMN x int; UPDATE orders SET x = 1 WHERE id = 3; COMMIT": _SMALL,
    "ALTER TABLE games ALTER COLUMN points TYPE int": "what a domain of the catalog stands for is not asked",
    "ALTER TABLE orders SET ACCESS METHOD heap": _SAME,
    "ALTER TABLE orders SET ACCESS METHOD DEFAULT": _SAME,
    "ALTER TABLE events SET ACCESS METHOD spare": "a partitioned table has no rows of its own",
    "ALTER TABLE orders SET TABLESPACE pg_default": _SAME,
    "ALTER INDEX orders_note_idx SET TABLESPACE spare_space": "an index is copied, and only tables are measured",
    "ALTER SEQUENCE ticket SET UNLOGGED": "a sequence is one row",
    "CREATE INDEX x ON ONLY events (at); CREATE INDEX y ON events_1 (at); ALTER INDEX x ATTACH PARTITION y": (
        "the index that is attached is the file's own"
    ),
    "CREATE TABLE x (a int); CREATE INDEX y ON x (a); DROP INDEX y; TRUNCATE x; DROP TABLE x": (
        "each commits by itself, so others may have put rows there"
    ),
}
# It names no table, or only in an argument; who waits for it are others like it.
NAMES_NO_TABLE = {"ANALYZE", "SELECT nextval('ticket')"}

_REFUSED = "every version refuses it here"
_ABSENT = "it names what no server of the tests has"
_OTHER = "it works on another server, database or program"
CANNOT_RUN = {
    "\\set ON_ERROR_STOP 1\nSELECT 1": "a line of psql, which no server sees",
    "ALTER DATABASE nowhere ALLOW_CONNECTIONS false": _ABSENT,
    "ALTER DATABASE nowhere SET TABLESPACE spare_space": _ABSENT,
    "BEGIN; ALTER TYPE mood ADD VALUE 'calm'; CREATE POLICY x ON orders USING (status = 'calm'); COMMIT": _REFUSED,
    "BEGIN; ALTER TYPE mood ADD VALUE 'calm'; CREATE VIEW x AS SELECT id FROM orders WHERE status = 'calm'; COMMIT": (
        _REFUSED
    ),
    "BEGIN; ALTER TYPE mood ADD VALUE 'calm'; UPDATE orders SET status = 'calm' WHERE id = 1; COMMIT": _REFUSED,
    "BEGIN; CREATE INDEX CONCURRENTLY x ON orders (note); COMMIT": _REFUSED,
    "BEGIN; VACUUM orders; COMMIT": _REFUSED,
    "CALL nobodys_procedure()": _ABSENT,
    "COPY orders FROM '/tmp/orders'": _ABSENT,
    "COPY orders FROM STDIN": "its rows come from a client",
    "CREATE EXTENSION plperlu": _ABSENT,
    "CREATE FUNCTION x() RETURNS int LANGUAGE plpython3u AS 'return 1'": _ABSENT,
    "CREATE SERVER x FOREIGN DATA WRAPPER postgres_fdw": _ABSENT,
    "CREATE TABLE x (a int, a text)": _REFUSED,
    "DISCARD ALL": "it cannot run in a transaction, and locks nothing",
    "DO $$ BEGIN DROP TABEL x; END $$": _REFUSED,
    "DO $$ BEGIN EXECUTE convert_from(decode('64726f70', 'hex'), 'UTF8'); END $$": _REFUSED,
    "DO $$ BEGIN PERFORM nobodys_function(); END $$": _ABSENT,
    "DO $$ BEGIN UPDATE orders SET note = 'x' WHERE id = 1; COMMIT; END $$": "it ends its own transaction",
    "DO $$ DECLARE r record; BEGIN FOR r IN SELECT relname FROM pg_class LOOP EXECUTE format('DROP TABLE %I', "
    "r.relname); END LOOP; END $$": _REFUSED,
    "DO LANGUAGE plperl 'spi_exec_query(1)'": _ABSENT,
    "DROP DATABASE nowhere": _ABSENT,
    "DROP ROLE nobody_here": _ABSENT,
    "DROP SCHEMA test": _ABSENT,
    "DROP TABLE storage.objects": _ABSENT,
    "EXECUTE somewhere": _ABSENT,
    "-- +goose Up\nCREATE TABLE x (a int);\n\n-- +goose Down\n-- back\nDROP TABLE x;": "no server sees comments",
    "SECURITY LABEL ON TABLE orders IS 'x'": "it wants a provider of labels that the server was started with",
    "SELECT 1 OPERATOR(public.===) 1": _ABSENT,
    "SELECT dblink_exec('x', 'DROP TABLE lines')": _ABSENT,
    "SELECT cron.unschedule('nightly')": _ABSENT,
    "SELECT nobodys_function()": _ABSENT,
    "SELECT ts_stat('SELECT 1')": _REFUSED,
    "SET ROLE anon; CREATE TABLE x (a int)": _REFUSED,
    "UPDATE orders SET note = 'a', note = 'b' WHERE id = 1": _REFUSED,
    "\\restrict a1B2\nSELECT 1;\n\\unrestrict a1B2\n": "a command of psql",
    "AT_DetachPartitionFinalize": "it ends what another statement was interrupted in",
    "DropdbStmt": _OTHER,
    "CreateTableSpaceStmt": _OTHER,
    "ImportForeignSchemaStmt": _OTHER,
    "CreateTransformStmt": "it wants functions that somebody compiled",
    "SecLabelStmt": "it wants a provider of labels that the server was started with",
}
