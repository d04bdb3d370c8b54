"""Reading a schema costs as much for each object however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from providers.postgres.connection import statements
from providers.postgres.schema.objects import QUERIES

LARGE = {"CTE relations", "CTE functions", "CTE types"}


def scans(node: dict[str, Any], repeated: bool = False) -> Iterator[str]:
    """Tables of a query that are read once for each row of another: by a subquery that is no hash and no first step."""
    for child in node.get("Plans", []):
        name = child.get("Subplan Name", "")
        again = repeated or (child.get("Parent Relationship") == "SubPlan" and f"hashed {name}" not in str(node))
        yield from scans(child, again)
    if repeated and node["Node Type"] == "CTE Scan":
        yield f"CTE {node['CTE Name']}"


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_reads_all_relations_for_each_of_them(name: str, empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        query = f"EXPLAIN (FORMAT JSON) {statements('objects_places')}{statements(f'objects_{name}')}"
        row = connection.execute(query.encode()).fetchone()

    assert row
    assert LARGE.isdisjoint(scans(row[0][0]["Plan"]))
