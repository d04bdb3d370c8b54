"""verify_ledger: its JSON keys and exit codes (docs/design.md 11)."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from io import StringIO

import pytest
from django.core.management import call_command

from ledger.models import Entry


def test_valid(entries: list[Entry]) -> None:
    out = StringIO()

    call_command("verify_ledger", "--json", stdout=out)

    assert json.loads(out.getvalue()) == {
        "valid": True,
        "entries": 30,
        "head": entries[-1].sha256,
        "anchors": 0,
        "problems": [],
    }


def test_altered(entries: list[Entry], without_triggers: Callable[[], AbstractContextManager[None]]) -> None:
    with without_triggers():
        Entry.objects.filter(pk=7).update(actor="mallory")
    out = StringIO()

    with pytest.raises(SystemExit) as stopped:
        call_command("verify_ledger", "--json", stdout=out)

    assert stopped.value.code == 1
    answer = json.loads(out.getvalue())
    assert answer["valid"] is False
    assert answer["problems"] == [{"sequence": 7, "problem": "its content does not match its hash: it was altered"}]


def test_text(entries: list[Entry]) -> None:
    out = StringIO()

    call_command("verify_ledger", stdout=out)

    assert "30 entries" in out.getvalue()
    assert "The ledger is valid." in out.getvalue()
