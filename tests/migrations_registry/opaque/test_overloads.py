"""A function that the file makes is meant only by calls that it can take: any other means one that was there before."""

from __future__ import annotations

import pytest

from migrations_registry.analysis import analyse

TYPES = ("int", "text", "boolean", "uuid", "numeric")
# What a call writes, and the types that take it without a cast written out.
ARGUMENTS = {
    "1": {"int", "numeric"},
    "1::int": {"int", "numeric"},
    "1.5": {"numeric"},
    "1::bigint": {"numeric"},
    "true": {"boolean"},
    "'x'::text": {"text"},
    "'x'::varchar": {"text"},
    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid": {"uuid"},
    "'1'": set(TYPES),
    "NULL": set(TYPES),
    "note": set(TYPES),
}
CALLS = [(kind, written, kind in takes) for kind in TYPES for written, takes in ARGUMENTS.items()]
COUNTS = [
    ("a int", "", False),
    ("a int", "1, 2", False),
    ("a int, b int DEFAULT 1", "1", True),
    ("a int, b int DEFAULT 1", "1, 2, 3", False),
    ("", "1", False),
    ("VARIADIC a int[]", "1, 2, 3", True),
]


def risk(parameters: str, arguments: str) -> str:
    made = f"CREATE FUNCTION tidy({parameters}) RETURNS int LANGUAGE sql AS 'SELECT 1'"
    return analyse(f"{made}; SELECT tidy({arguments}) FROM orders".encode(), as_runner=True).risk


@pytest.mark.parametrize(("kind", "written", "takes"), CALLS)
def test_another_type_is_another_function(kind: str, written: str, takes: bool) -> None:
    assert risk(f"a {kind}", written) == ("routine" if takes else "destructive")


@pytest.mark.parametrize(("parameters", "arguments", "takes"), COUNTS)
def test_another_count_is_another_function(parameters: str, arguments: str, takes: bool) -> None:
    assert risk(parameters, arguments) == ("routine" if takes else "destructive")


def test_a_builtin_beside_it_stays_harmless() -> None:
    text = b"CREATE FUNCTION count(int, int) RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT count(*) FROM orders"

    assert analyse(text, as_runner=True).risk == "routine"
