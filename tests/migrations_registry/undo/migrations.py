"""Destructive statements over the seed, one table row a kind of loss; a migration is up to three of them.

In: a number. Out: SQL, the same for the same number. Each row may hold {n}, a small number, and {c}, a condition.
"""

from __future__ import annotations

from random import Random

KINDS = """
DROP TABLE labels
DROP TABLE "Odd Log"
DROP TABLE orders CASCADE
DROP TABLE people CASCADE
DROP TABLE extra.parts_a
DROP TABLE extra.parts
DROP SCHEMA extra CASCADE
ALTER TABLE people DROP COLUMN note
ALTER TABLE people DROP COLUMN email
ALTER TABLE people DROP COLUMN tags, DROP COLUMN age
ALTER TABLE people DROP COLUMN shouted
ALTER TABLE people DROP COLUMN name CASCADE
ALTER TABLE orders DROP COLUMN amount CASCADE
ALTER TABLE orders DROP COLUMN note
ALTER TABLE orders DROP COLUMN state CASCADE
ALTER TABLE labels DROP COLUMN weight
TRUNCATE labels
TRUNCATE people CASCADE
TRUNCATE "Odd Log"
TRUNCATE extra.parts
DELETE FROM orders WHERE id % {n} = 0
DELETE FROM people WHERE id % {n} = 1 AND id NOT IN (SELECT person FROM labels)
DELETE FROM "Odd Log" WHERE "what is" = 'what 1'
DELETE FROM labels
DELETE FROM extra.parts WHERE id % {n} = 0
WITH g AS (DELETE FROM orders WHERE state = 'late' RETURNING person) DELETE FROM labels l USING g WHERE g.person = 3
UPDATE people SET name = 'gone', note = NULL WHERE id % {n} = 0
UPDATE people SET name = left(name, 3)
UPDATE orders SET amount = amount * 2, state = 'calm'
UPDATE orders SET note = NULL WHERE person < 10
UPDATE labels SET weight = 0
UPDATE extra.parts SET body = 'empty' WHERE kind = 'a'
MERGE INTO orders o USING people p ON person = p.id WHEN MATCHED AND amount < 9 THEN DELETE WHEN MATCHED THEN DO NOTHING
MERGE INTO orders o USING people p ON person = p.id WHEN MATCHED AND amount < 9 THEN UPDATE SET note = p.name
INSERT INTO people (id, name) SELECT id, '' FROM people WHERE id < 9 ON CONFLICT (id) DO UPDATE SET name = 'x'
DO $$ BEGIN DELETE FROM orders WHERE amount > 20; UPDATE people SET age = age + 100; END $$
ALTER TABLE people ALTER COLUMN email TYPE varchar(4) USING left(email, 4), DROP CONSTRAINT people_email_key
DROP MATERIALIZED VIEW sums; ALTER TABLE orders ALTER COLUMN amount TYPE integer USING amount::integer
ALTER TABLE orders ALTER COLUMN note TYPE varchar(5) USING left(note, 5)
ALTER TABLE labels ALTER COLUMN weight TYPE integer USING 7
ALTER TABLE people DROP CONSTRAINT people_email_key
ALTER TABLE people DROP CONSTRAINT people_age_check
ALTER TABLE orders DROP CONSTRAINT sane
ALTER TABLE orders DROP CONSTRAINT orders_person_fkey
ALTER TABLE labels DROP CONSTRAINT labels_pkey
ALTER TABLE orders ALTER COLUMN at DROP DEFAULT
ALTER TABLE people ALTER COLUMN name DROP NOT NULL
ALTER TABLE people ALTER COLUMN name SET DEFAULT 'other'
DROP INDEX orders_at
DROP INDEX people_lower; CREATE INDEX people_lower ON people (email)
DROP VIEW busier
DROP VIEW busy CASCADE
CREATE OR REPLACE VIEW busy AS SELECT o.id, p.name FROM orders o JOIN people p ON p.id = o.person
DROP MATERIALIZED VIEW sums
DROP FUNCTION twice(integer)
CREATE OR REPLACE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT n + 2'
DROP FUNCTION twice(integer); CREATE FUNCTION twice(n integer) RETURNS bigint LANGUAGE sql AS 'SELECT n::bigint'
DROP FUNCTION stamp() CASCADE
DROP TRIGGER stamped ON orders
ALTER TABLE orders DISABLE TRIGGER stamped
DROP RULE quiet ON "Odd Log"
DROP POLICY own ON orders
ALTER POLICY own ON orders USING (true)
ALTER TABLE orders DISABLE ROW LEVEL SECURITY
DROP STATISTICS kinship
DROP TYPE pair
DROP TYPE mood CASCADE
DROP DOMAIN short CASCADE
DROP SEQUENCE ticket
ALTER TYPE mood ADD VALUE 'new'
COMMENT ON TABLE orders IS NULL
COMMENT ON COLUMN orders.amount IS 'other'
REVOKE ALL ON orders FROM PUBLIC
REVOKE SELECT (name) ON people FROM PUBLIC
"""
ALL = [line for line in KINDS.splitlines() if line]


def migration(number: int) -> str:
    """The first ones are each kind alone."""
    if number < len(ALL):
        return ALL[number].replace("{n}", "3")
    random = Random(number)
    return ";\n".join(
        line.replace("{n}", str(random.randint(2, 5))) for line in random.sample(ALL, random.randint(2, 3))
    )
