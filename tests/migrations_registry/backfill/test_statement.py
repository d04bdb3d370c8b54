"""Which UPDATE can run in batches, and that a batch's text says what the file's own said, for some keys only."""

from __future__ import annotations

import pytest

from migrations_registry.backfill.statement import batched
from providers.errors import Refused

TAKEN = {
    "UPDATE orders SET a = 1": "UPDATE orders SET a = 1\nWHERE K",
    "UPDATE orders SET a = b WHERE a IS NULL;": "UPDATE orders SET a = b \nWHERE ( a IS NULL\n) AND K",
    "UPDATE o SET a = 1 WHERE b OR c -- d": "UPDATE o SET a = 1 \nWHERE ( b OR c -- d\n) AND K",
    "UPDATE o SET n = $$ where $$ || E'\\' where' /* where */ wHere x = 1": (
        "UPDATE o SET n = $$ where $$ || E'\\' where' /* where */ \nWHERE ( x = 1\n) AND K"
    ),
    'UPDATE "Wh""ere" SET "where" = 1 WHERE a AND b AND c': (
        'UPDATE "Wh""ere" SET "where" = 1 \nWHERE ( a AND b AND c\n) AND K'
    ),
    "UPDATE o SET a = (SELECT x FROM y WHERE y.id = o.id) FROM c WHERE c.id = o.c": (
        "UPDATE o SET a = (SELECT x FROM y WHERE y.id = o.id) FROM c \nWHERE ( c.id = o.c\n) AND K"
    ),
}
REFUSED = {
    "DELETE FROM o": "must hold one UPDATE",
    "UPDATE o SET a = 1; UPDATE o SET b = 1": "must hold one UPDATE",
    "ALTER TABLE o ADD COLUMN a int; UPDATE o SET a = 1": "must hold one UPDATE",
    "UPDATE o SET": "must hold one UPDATE",
    "WITH x AS (SELECT 1) UPDATE o SET a = 1": "a WITH clause",
    "UPDATE o SET a = 1 RETURNING a": "RETURNING",
    "UPDATE o SET a = 1 WHERE CURRENT OF c": "where a cursor stands",
    "UPDATE ONLY o SET a = 1": "says ONLY",
    "UPDATE o SET a = (SELECT max(a) FROM o)": "reads o itself",
    "UPDATE o SET a = p.a FROM s.o p WHERE p.b = o.id": "reads o itself",
    "UPDATE o SET a = 1 WHERE EXISTS (SELECT FROM x JOIN o AS q ON true)": "reads o itself",
}


@pytest.mark.parametrize("text", TAKEN)
def test_what_was_written_stays_as_it_is(text: str) -> None:
    assert batched(text.encode()).text(b"K").decode() == TAKEN[text]


@pytest.mark.parametrize("text", REFUSED)
def test_what_batches_would_make_something_else_of_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=REFUSED[text]) as refused:
        batched(text.encode())
    assert "Nothing was requested" in refused.value.reason


def test_the_name_that_its_own_text_uses_is_told() -> None:
    found = batched(b"UPDATE app.orders AS o SET (a, b) = (1, 2)")
    assert (found.table, found.alias, found.written) == (("app", "orders"), "o", frozenset("ab"))
