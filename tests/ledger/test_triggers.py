"""The database itself refuses every change but growth; conftest switches the TRUNCATE triggers off, one test on."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from ledger.canonical import ZERO
from ledger.models import Entry
from ledger.services import checkpoint, verify

pytestmark = pytest.mark.usefixtures("entries")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET actor = 'mallory' WHERE sequence = 3",
        "UPDATE ledger_entry SET seeded = seeded",
        "DELETE FROM ledger_entry WHERE sequence = 30",
        "UPDATE ledger_head SET sequence = 29",
        "UPDATE ledger_head SET sequence = sequence + 1",
        "UPDATE ledger_head SET sha256 = repeat('a', 64)",
        "DELETE FROM ledger_head",
        "INSERT INTO ledger_head (id, sequence, sha256) VALUES (2, 0, repeat('0', 64))",
        "UPDATE ledger_checkpoint SET size = 1",
        "DELETE FROM ledger_checkpoint",
    ],
)
def test_refused(statement: str) -> None:
    checkpoint()

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert verify().valid


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_head", "ledger_checkpoint"])
def test_truncate_is_refused(table: str) -> None:
    checkpoint()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_no_truncate")

        with pytest.raises(IntegrityError, match=f"TRUNCATE on {table} is refused"), transaction.atomic():
            cursor.execute(f"TRUNCATE {table}")

        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_no_truncate")

    assert verify().valid


@pytest.mark.parametrize("sequence", [30, 32])
def test_an_entry_that_does_not_continue_is_refused(sequence: int) -> None:
    entry = Entry.objects.get(sequence=30)
    entry.sequence, entry.previous_sha256, entry.sha256 = sequence, ZERO, "b" * 64

    with pytest.raises(IntegrityError), transaction.atomic():
        entry.save(force_insert=True)


def test_malformed_hashes_are_refused() -> None:
    entry = Entry.objects.get(sequence=30)
    entry.sequence, entry.previous_sha256, entry.sha256 = 31, entry.sha256, "not a hash"

    with pytest.raises(IntegrityError), transaction.atomic():
        entry.save(force_insert=True)
