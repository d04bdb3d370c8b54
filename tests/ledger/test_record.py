"""What record() writes, what it refuses, and that many writers leave no gap."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from pytest_django.fixtures import Settings

from ledger.canonical import ZERO, NotCanonical
from ledger.models import Entry, Head
from ledger.registry import sentence_for, sentences
from ledger.services import checkpoint, record, verify
from operations.models import Environment


def test_first_entry_starts_the_chain(db: None) -> None:
    entry = record("demo.started", actor="olga", environment="production", subject="s", data={"b": 1, "a": "ñ"})

    assert (entry.sequence, entry.previous_sha256) == (1, ZERO)
    assert entry.data == '{"a":"ñ","b":1}'
    assert entry.channel == "shell"
    assert entry.os_user
    assert entry.host
    assert Head.objects.get().sha256 == entry.sha256


def test_each_entry_continues_the_one_before(entries: list[Entry]) -> None:
    assert [entry.sequence for entry in entries] == list(range(1, 31))
    assert all(b.previous_sha256 == a.sha256 for a, b in itertools.pairwise(entries))
    assert verify().valid


def test_goes_away_with_its_transaction(db: None) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        record("demo.lost", actor="olga")
        raise RuntimeError

    assert not Entry.objects.exists()
    assert Head.objects.get().sequence == 0


@pytest.mark.parametrize("data", [{"x": 1.5}, {"x": "a\x00"}])
def test_refuses_what_has_no_canonical_form(db: None, data: dict[str, object]) -> None:
    with pytest.raises(NotCanonical):
        record("demo.bad", actor="olga", data=data)


def test_refuses_an_over_long_subject(db: None) -> None:
    with pytest.raises(NotCanonical, match="200 is the most"):
        record("demo.bad", actor="olga", subject="x" * 201)


def test_a_given_time_is_for_the_demo(db: None, settings: Settings) -> None:
    settings.DEMO = False

    with pytest.raises(ValueError, match="DEMO=1"):
        record("demo.back_dated", actor="olga", at=datetime(2026, 1, 1, tzinfo=UTC))


def test_a_given_time_marks_the_entry_as_seeded(db: None, settings: Settings) -> None:
    settings.DEMO = True

    entry = record("demo.told", actor="olga", at=datetime(2026, 1, 1, tzinfo=UTC))

    assert entry.seeded
    assert Entry.objects.get().at == datetime(2026, 1, 1, tzinfo=UTC)


def test_secrets_never_enter(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENDER_API_KEY", "a-planted-value-123")

    entry = record("demo.x", actor="o", subject="a-planted-value-123", data={"dsn": "postgresql://u:hunter2@h/d"})

    assert "planted" not in entry.subject
    assert "hunter2" not in entry.data


def test_sentences(db: None) -> None:
    sentences({"demo.spoken": "{actor} spoke about {topic}{when}"}, {"when": lambda facts: facts.get("at", "")})

    assert sentence_for(record("demo.spoken", actor="olga", data={"topic": "rain"})) == "olga spoke about rain"
    assert sentence_for(record("demo.spoken", actor="olga")) == "olga: demo spoken"
    assert sentence_for(record("demo.unknown_code", actor="olga", subject="x")) == "olga: demo unknown code x"


def test_checkpoint_is_an_anchor(entries: list[Entry]) -> None:
    checkpoint()
    record("demo.after", actor="olga")

    report = verify()

    assert (report.valid, report.anchors, report.entries) == (True, 1, 31)


@pytest.mark.django_db(transaction=True)
def test_eight_writers_leave_no_gap() -> None:
    def write(writer: int) -> None:
        for n in range(25):
            record("demo.raced", actor=f"writer{writer}", data={"n": n})
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    assert list(Entry.objects.order_by("sequence").values_list("sequence", flat=True)) == list(range(1, 201))
    assert verify().valid


def test_a_phrase_comes_before_data_of_its_name(db: None) -> None:
    sentences({"demo.counted": "{actor} counted {number:.3}{more}"}, {"more": lambda facts: f" and {facts['more']}"})

    assert (
        sentence_for(record("demo.counted", actor="olga", data={"number": "12345", "more": 2}))
        == "olga counted 123 and 2"
    )
    assert sentence_for(record("demo.counted", actor="olga", data={"number": 1, "more": 2})) == "olga: demo counted"


def test_the_longest_names_fit_into_an_entry(db: None) -> None:
    longest = "e" * int(Environment._meta.get_field("slug").max_length or 0)
    person = "p" * int(User._meta.get_field("username").max_length or 0)

    entry = record("demo.named", actor=person, environment=longest)

    assert (entry.environment, entry.actor) == (longest, person)
