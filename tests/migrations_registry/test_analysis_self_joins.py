"""UPDATE and MERGE that join their target with itself: how many rows a real server overwrote is what was told."""

from __future__ import annotations

from itertools import product

import psycopg
import pytest

from migrations_registry.analysis import analyse

ROWS = 6
TABLES = f"""CREATE TABLE t (id int PRIMARY KEY, email text, kind text, x int); CREATE TABLE s (LIKE t);
INSERT INTO t SELECT n, 'm' || n % 2, 'z', 0 FROM generate_series(1, {ROWS}) n; INSERT INTO s SELECT * FROM t"""
OWN = ("t b", "(SELECT * FROM t) b", "(SELECT id, email, kind FROM t WHERE kind = 'z') b")
OTHERS = ("s b", "(SELECT * FROM t LIMIT 3) b", "(SELECT id, email, kind FROM t WHERE id = 4) b")
WHERES = (
    "a.id = b.id",
    "b.id = a.id AND b.kind = 'z'",
    "a.id = b.id AND b.id = 4",
    "a.id = 4 AND a.id = b.id",
    "a.email = b.email",
    "a.email = b.email AND a.id > b.id",
    "a.email = b.email AND b.id = 4",
    "a.kind = b.kind AND a.email = b.email",
    "b.id = 4",
    "b.id = 4 AND b.kind = 'z'",
)
FORMS = (
    "UPDATE t a SET x = 1 FROM {source} WHERE {where}",
    "WITH b AS (SELECT * FROM {source}) UPDATE t a SET x = 1 FROM b WHERE {where}",
)
UPDATES = [FORMS[0].format(source=source, where=where) for source, where in product(OWN + OTHERS, WHERES)]
UPDATES += [FORMS[1].format(source=source, where=where) for source, where in product(("t", "s"), WHERES)]


@pytest.fixture(scope="module")
def overwritten(proof_dsn: str) -> dict[str, int]:
    found = {}
    with psycopg.connect(proof_dsn, autocommit=True) as connection:
        for text in UPDATES:
            with connection.transaction(force_rollback=True):
                connection.execute(TABLES)
                found[text] = connection.execute(text.encode()).rowcount
    return found


@pytest.mark.parametrize("text", UPDATES)
def test_what_is_overwritten_is_what_is_told(text: str, overwritten: dict[str, int]) -> None:
    rules = {finding.rule for finding in analyse(text.encode()).findings}

    if overwritten[text] > 1:
        assert rules & {"MD-UPDATE-ALL", "MD-UPDATE-MANY"}
    if overwritten[text] == ROWS and "LIMIT" not in text and " s" not in text and "kind = 'z'" not in text:
        assert "MD-UPDATE-ALL" in rules


MERGES = {
    "MERGE INTO t a USING t b ON a.id = b.id WHEN MATCHED THEN UPDATE SET x = 1": "MD-UPDATE-ALL",
    "MERGE INTO t USING (SELECT * FROM t) b ON t.id = b.id WHEN MATCHED THEN UPDATE SET x = 1": "MD-UPDATE-ALL",
    "MERGE INTO t USING s b ON t.id = b.id WHEN MATCHED THEN UPDATE SET x = 1": "MD-UPDATE-MANY",
    "MERGE INTO t USING t b ON t.id = b.id WHEN MATCHED AND b.kind = 'z' THEN UPDATE SET x = 1": "MD-UPDATE-MANY",
    "MERGE INTO t USING (VALUES (1)) v(id) ON v.id = t.id WHEN NOT MATCHED BY SOURCE THEN UPDATE SET x = 1": (
        "MD-UPDATE-ALL"
    ),
    "MERGE INTO t USING s ON s.id = t.id WHEN NOT MATCHED BY SOURCE THEN UPDATE SET x = 1": "MD-UPDATE-MANY",
    "MERGE INTO t USING s ON s.id = t.id WHEN MATCHED THEN UPDATE SET x = s.x "
    "WHEN NOT MATCHED BY SOURCE THEN UPDATE SET x = 0": "MD-UPDATE-ALL",
    "MERGE INTO t USING s ON s.id = t.id WHEN NOT MATCHED BY SOURCE AND t.kind = 'z' THEN UPDATE SET x = 0": (
        "MD-UPDATE-MANY"
    ),
}


@pytest.mark.parametrize("text", MERGES)
def test_a_merge_with_itself(text: str) -> None:
    assert {finding.rule for finding in analyse(text.encode()).findings} & {MERGES[text]}


def test_one_row_by_its_key_stays_routine() -> None:
    texts = ("UPDATE t a SET x = 1 FROM t b WHERE a.id = b.id AND b.id = 4", "UPDATE t SET x = 1 FROM s WHERE t.id = 4")

    assert [analyse(text.encode()).risk for text in texts] == ["routine", "routine"]
