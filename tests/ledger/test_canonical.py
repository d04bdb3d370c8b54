"""The canonical text: what it refuses, and that it says the same for the same content."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import canonical

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)


@given(VALUES)
def test_round_trip(value: object) -> None:
    text = canonical.dumps(value)

    assert json.loads(text) == value
    assert canonical.dumps(json.loads(text)) == text


@given(st.dictionaries(TEXT, SCALARS, min_size=2))
def test_key_order_does_not_matter(value: dict[str, object]) -> None:
    assert canonical.dumps(value) == canonical.dumps(dict(reversed(value.items())))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"ratio": 0.5}, r"data\.ratio is a float"),
        ({"a": [1, float("nan")]}, r"data\.a\[1\] is a float"),
        ({"a": "x\x00y"}, r"data\.a holds a NUL"),
        ({"a\x00": 1}, "holds a NUL"),
        ({"a": "\ud800"}, "not valid Unicode"),
        ({1: "a"}, "key 1, which is not text"),
        ({"n": 2**63}, "64 bits"),
        ({"at": datetime(2026, 1, 1, tzinfo=UTC)}, "is a datetime"),
        ({"d": Decimal(1)}, "is a Decimal"),
        ({"b": b"x"}, "is a bytes"),
        ({"s": {1, 2}}, "is a set"),
    ],
)
def test_refuses(value: object, says: str) -> None:
    with pytest.raises(canonical.NotCanonical, match=says):
        canonical.dumps(value)


def test_refuses_endless_nesting() -> None:
    value: list[object] = []
    for _ in range(40):
        value = [value]

    with pytest.raises(canonical.NotCanonical, match="nested"):
        canonical.dumps(value)


def test_digest_separates_fields() -> None:
    assert canonical.digest("0", ["ab", "c"]) != canonical.digest("0", ["a", "bc"])
    assert canonical.digest("0", [1]) != canonical.digest("0", [True])
