"""Text that never ends is no SQL: the server refuses it, and what hides in it was judged by nobody."""

from __future__ import annotations

from itertools import product

import pytest

from migrations_registry.analysis import analyse

BEFORE = ["", "SELECT 1;", "CREATE TABLE t (id int PRIMARY KEY);\n", "-- a line\n", "/* whole */ ", "SELECT 1;;\n\n"]
OPEN = [
    "/*",
    "/* DROP TABLE users;",
    "/* outer /* inner */ DROP TABLE users;",
    "/* SELECT 1; */ /* again",
    "/**",
    "/*/",
    "'",
    "SELECT 'DROP TABLE users;",
    "SELECT E'\\'",
    "SELECT U&'x",
    '"',
    'SELECT "users;',
    "$$",
    "SELECT $x$ DROP TABLE users; $y$",
    "SELECT b'1",
]


@pytest.mark.parametrize(("before", "text"), list(product(BEFORE, OPEN)))
def test_it_is_opaque(before: str, text: str) -> None:
    found = analyse(f"{before}{text}".encode())

    assert found.risk == "destructive"
    assert [finding.rule for finding in found.statements[-1].findings] == ["MP-UNPARSED"]


@pytest.mark.parametrize(
    "text",
    ["/* whole */", "SELECT 1; /* whole */", "SELECT 1 /* a /* b */ c */;", "-- /*\nSELECT 1", "SELECT '/*'", "/**/"],
)
def test_what_ends_is_judged_as_ever(text: str) -> None:
    assert analyse(text.encode()).risk == "routine"
