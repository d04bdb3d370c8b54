"""`python -m bench.effects_guard [--tables N]`: how long a migration's effects are asked for while its locks are held.

In: a throwaway server with N tables, each with a key, an index, a policy and a trigger. Out: a line per file: seconds
before its first statement, and between its last one and COMMIT.
"""

from __future__ import annotations

import argparse
import time
from statistics import median

import psycopg

from providers import postgres
from providers.embedded_postgres.server import EmbeddedPostgres
from providers.embedded_postgres.throwaway import throwaway
from providers.postgres.migrate.effects import measure, start

ROUNDS = 5
TABLE = """
CREATE TABLE t{0} (id bigserial PRIMARY KEY, v text NOT NULL, other bigint CHECK (other > 0));
CREATE INDEX ON t{0} (v); ALTER TABLE t{0} ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t{0} USING (true);
CREATE TRIGGER touch BEFORE UPDATE ON t{0} FOR EACH ROW EXECUTE FUNCTION touch();
INSERT INTO t{0} (v) VALUES ('a'), ('b');
"""
TOUCH = "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
FILES = {
    "one row updated": "UPDATE t1 SET v = 'c' WHERE id = 1",
    "a table, a policy": "CREATE TABLE fresh (id int); ALTER TABLE fresh ENABLE ROW LEVEL SECURITY;"
    " CREATE POLICY p ON fresh USING (true)",
    "a column added, an index": "ALTER TABLE t1 ADD COLUMN n int; CREATE INDEX ON t1 (n)",
    "a column's type": "ALTER TABLE t1 ALTER COLUMN other TYPE numeric",
    "a table dropped": "DROP TABLE t7 CASCADE",
    "ten tables altered": "; ".join(f"ALTER TABLE t{n} ADD COLUMN n int" for n in range(1, 11)),
    "ten tables emptied": "; ".join(f"TRUNCATE t{n}" for n in range(1, 11)),
    "300 tables altered": "; ".join(f"ALTER TABLE t{n} ADD COLUMN n int" for n in range(1, 301)),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.effects_guard", description=__doc__)
    parser.add_argument("--tables", type=int, default=3000)
    tables = parser.parse_args().tables
    with throwaway() as server:
        server.create_database("many")
        _fill(server, tables)
        print(f"{tables:,} tables, median of {ROUNDS}: before the first statement, before COMMIT")
        for name, text in FILES.items():
            before, held = _took(server, text)
            print(f"{name:<26} {before:6.3f} s {held:6.3f} s")


def _fill(server: EmbeddedPostgres, tables: int) -> None:
    with psycopg.connect(server.dsn("many"), autocommit=True) as admin:
        admin.execute(TOUCH)
        for number in range(1, tables + 1):
            admin.execute(TABLE.format(number).encode())
        admin.execute("ANALYZE")


def _took(server: EmbeddedPostgres, text: str) -> tuple[float, float]:
    found = []
    with postgres.connect(server.dsn("many"), read_only=False) as own, postgres.connect(server.dsn("many")) as other:
        for _ in range(ROUNDS):
            own.execute("BEGIN")
            began = time.monotonic()
            begun = start(own, other)
            started = time.monotonic() - began
            own.execute(f"SET LOCAL search_path = public; {text}".encode())
            found.append((started, measure(own, other, begun).seconds))
            own.execute("ROLLBACK")
    return median(before for before, _ in found), median(held for _, held in found)


if __name__ == "__main__":
    main()
