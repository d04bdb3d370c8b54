"""A condition that every row meets is none, however it is written; an UPDATE is judged by what it overwrites."""

from __future__ import annotations

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.risk import DESTRUCTIVE, ROUTINE, SENSITIVE

ALWAYS = """
true | 1 = 1 | 't'::boolean | NOT false | 2 > 1 | 'a' < 'b' | true = true | current_user = current_user
now() IS NOT NULL | random() >= 0 | (SELECT true) | EXISTS (SELECT 1) | EXISTS (SELECT 1 FROM users)
CASE WHEN true THEN true END | coalesce(true, active) | id > 0 | 0 < id | id >= 0 | id > -1 | id >= 1 | id <> -1
id != 0 | id::int > 0 | (id > 0) IS TRUE | (id > 0) = true | id IS NOT NULL | NOT (id IS NULL)
id IS DISTINCT FROM NULL | id = id | users.id = users.id | id = users.id | id::text = id::text
id IS NOT DISTINCT FROM id | (id, name) = (id, name) | id = id + 0 | id IN (id) | id IN (1, id) | id = ANY (ARRAY[id])
id NOT IN (-1) | NOT (id = -5) | NOT id IN (-5) | id BETWEEN 0 AND 99999999 | id < 99999999 | id NOT BETWEEN -9 AND -1
id IN (SELECT id FROM users) | id IN (SELECT u.id FROM users u) | id = ANY (SELECT id FROM users)
id = ANY (ARRAY(SELECT id FROM users)) | id IN (SELECT id FROM users WHERE id > 0)
id IN (SELECT id FROM users LIMIT 99999999) | ctid = ctid | ctid IS NOT NULL | ctid IN (SELECT ctid FROM users)
ctid = ANY (ARRAY(SELECT ctid FROM users)) | ctid >= '(0,0)' | tableoid = 'users'::regclass | x = x OR name = 'a'
id >= 0 OR id < 0 | id > 5 OR id < 10 | id > 5 OR id <= 5 | x = 1 OR x <> 1 | x IS NULL OR x IS NOT NULL
active OR NOT active | id > 0 AND id IS NOT NULL | id = id AND true | true AND (1 = 1 OR x = 5) | length(name) >= 0
coalesce(id, 0) >= 0 | name LIKE '%' | name ILIKE '%%' | name ~ '' | name ~ '.*' | name >= '' | made <= now()
made < 'infinity' | made > '-infinity' | made > '1970-01-01' | made <= CURRENT_TIMESTAMP
"""
SOME = """
made < '2024-01-01' | x > 5 | gone IS NOT NULL | status <> 'x' | name LIKE 'a%' | id > 100 | id BETWEEN 1 AND 1000
id IN (SELECT user_id FROM orders) | lower(name) > 'b' | active | active IS TRUE | active = true | x = 1
status = 'new' | status IN ('new', 'old') | made::date = '2026-01-01' | org_id = 7
id IN (SELECT id FROM users LIMIT 900000)
active AND status = 'new' | kind = ANY (ARRAY['a', 'b']) | 'x' = note | x * 2 = 4 | id % 2 = 0 | x + 1 > y
"""
FEW = """
id = 5 | id = 5 AND x > 3 | email = 'a@b.c' | id IN (1, 2, 3) | name = lower('X') | id = '7'::int
user_id = 5 | "userId" = 5 | org_id = 5 AND team_id = 6 | lower(email) = 'a@b.c' | slug IN ('a', 'b') | iso_code = 'DE'
active AND id = 5
id = (SELECT max(user_id) FROM orders) | id IN (SELECT id FROM users WHERE x = 1 LIMIT 1000) | 7 = id | id = 1 OR id = 2
"""


def each(table: str) -> list[str]:
    return [condition.strip() for line in table.strip().splitlines() for condition in line.split(" | ")]


@pytest.mark.parametrize("condition", each(ALWAYS))
def test_a_condition_that_every_row_meets_is_none(condition: str) -> None:
    update = analyse(f"UPDATE users SET email = NULL WHERE {condition}".encode())
    delete = analyse(f"DELETE FROM users WHERE {condition}".encode())

    assert "MD-UPDATE-ALL" in {finding.rule for finding in update.findings}
    assert "MD-DELETE-ALL" in {finding.rule for finding in delete.findings}


@pytest.mark.parametrize("condition", each(SOME))
def test_a_range_or_a_query_overwrites_many(condition: str) -> None:
    assert analyse(f"UPDATE users SET email = NULL WHERE {condition}".encode()).risk == SENSITIVE


@pytest.mark.parametrize("condition", each(FEW))
def test_named_rows_are_few(condition: str) -> None:
    assert analyse(f"UPDATE users SET email = NULL WHERE {condition}".encode()).risk == ROUTINE


@pytest.mark.parametrize(
    ("text", "risk"),
    [
        ("UPDATE t SET a = s.a FROM s WHERE s.id = t.id", SENSITIVE),
        ("UPDATE t SET a = s.a FROM s WHERE s.id = t.id AND t.a IS NULL", ROUTINE),
        ("UPDATE t SET a = s.a FROM s WHERE s.id = t.id AND t.id = 7", ROUTINE),
        ("UPDATE t SET a = s.a FROM s", DESTRUCTIVE),
        ("UPDATE t SET a = 1 WHERE a IS NULL", ROUTINE),
        ("UPDATE t SET a = 1, b = 2 WHERE a IS NULL", SENSITIVE),
        ("ALTER TABLE t ADD COLUMN n int; UPDATE t SET n = a", SENSITIVE),
        ("ALTER TABLE t ADD COLUMN n int; UPDATE t SET n = a, b = 0", DESTRUCTIVE),
        ("MERGE INTO t USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET a = 1", DESTRUCTIVE),
        ("MERGE INTO t USING s ON s.id = t.id WHEN MATCHED THEN UPDATE SET a = s.a", SENSITIVE),
        ("MERGE INTO t USING s ON s.id = t.id WHEN NOT MATCHED THEN INSERT VALUES (s.id)", ROUTINE),
        ("INSERT INTO t SELECT id, a FROM s ON CONFLICT (id) DO UPDATE SET a = excluded.a", SENSITIVE),
        ("INSERT INTO t SELECT id, a FROM s ON CONFLICT DO NOTHING", ROUTINE),
        ("INSERT INTO t VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET a = excluded.a", ROUTINE),
    ],
)
def test_an_overwrite_is_judged_by_what_is_lost(text: str, risk: str) -> None:
    assert analyse(text.encode(), as_runner=True).risk == risk
