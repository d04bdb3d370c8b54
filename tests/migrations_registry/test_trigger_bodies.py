"""Bodies of trigger functions are read like any other: the grammar's own output of them is not quite JSON."""

from __future__ import annotations

import pytest

from migrations_registry.analysis.parsing.parser import parse_plpgsql

BODY = "DECLARE x text := '{}},'; BEGIN INSERT INTO log VALUES ('{}},'); RETURN%s; END"


@pytest.mark.parametrize(("returns", "what"), [("trigger", " NEW"), ("event_trigger", ""), ("int", " 1")])
def test_a_body_is_read_whatever_it_returns(returns: str, what: str) -> None:
    tree = parse_plpgsql(f"CREATE FUNCTION f() RETURNS {returns} LANGUAGE plpgsql AS $f$ {BODY % what} $f$")
    assert "INSERT INTO log VALUES ('{}},')" in str(tree["action"])
    assert "'{}},'" in str(tree["datums"])
