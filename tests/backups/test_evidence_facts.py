"""What is written down about chains at each proof, and what two runs' facts say without a single row."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from backups.archive.manifest import Manifest
from backups.archive.signatures import generate, load_signer
from backups.archive.signed_json import ManifestError, sealed
from backups.evidence.chain_assessment import judge
from backups.evidence.periods import months_of
from backups.evidence.verdicts import ChainVerdict, Seen
from backups.facts import store as facts_store
from backups.facts.model import RunFacts, document_of, from_document
from backups.facts.sequence_ranges import added, from_multirange, multirange, packed, unpacked
from backups.proof.comparison import NOTHING_BEFORE, Comparison
from backups.proof.prove import prove
from providers.storage.base import Store
from providers.storage.factory import open_store
from sandbox import database
from sandbox.traffic import convert, decide
from tests import portal_database
from tests.backups.conftest import exported

AUDIT = "public.algorithm_audit_trail"
NOW = datetime.now(UTC)
MONTHS = months_of(NOW - timedelta(hours=1), NOW + timedelta(hours=1))


@dataclass
class History:
    """Runs in order, each proven against the one before; `note(...)` adds one after a change."""

    dsns: dict[str, str]
    store: Store
    drill: Callable
    manifests: list[Manifest]
    facts: list[RunFacts]

    def note(self) -> RunFacts:
        manifest = exported(self.dsns["export"], self.store)
        before = NOTHING_BEFORE
        if self.facts:
            before = Comparison(manifest=self.manifests[-1], store=self.store, facts=self.facts[-1])
        verdict = prove(manifest, self.store, comparison=before, server=self.drill)
        assert verdict.facts is not None
        self.manifests.append(manifest)
        self.facts.append(verdict.facts)
        return verdict.facts

    def sql(self, text: str) -> int:
        with psycopg.connect(self.dsns["admin"], autocommit=True) as connection:
            return connection.execute(text).rowcount

    def verdict(self, *, since: int, chain: str, months: frozenset[str] = MONTHS) -> ChainVerdict:
        """On the runs from number `since` on."""
        seen = [Seen(facts) for facts in self.facts[since:]]
        return next(
            verdict for verdict in judge(AUDIT, months, seen, {f.run: f for f in self.facts}) if verdict.chain == chain
        )


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, drill: Callable) -> Iterator[History]:
    """0: as seeded · 1: a legal day · 2: one conversion changed · 3: a tail cut."""
    store = open_store(f"file://{tmp_path_factory.mktemp('evidence')}/store")
    name = f"evidence_{uuid4().hex[:12]}"
    database.create(portal_database.server, name, rows=120, experiments=3)
    made = History(database.dsns(portal_database.server, name), store, drill, [], [])
    rng = random.Random(4)
    with psycopg.connect(made.dsns["admin"], autocommit=True) as connection:
        for number in range(30):
            decide(connection, rng, NOW - timedelta(minutes=40 - number))
        for _ in range(6):
            convert(connection, rng)
        made.note()
        for _ in range(10):
            decide(connection, rng)
            convert(connection, rng)
    made.note()
    made.sql(f"UPDATE {AUDIT} SET conversion_value = conversion_value + 1 WHERE id = ({OLDEST})")
    made.note()
    made.sql(
        f"DELETE FROM {AUDIT} t WHERE sequence_number = (SELECT max(sequence_number) FROM {AUDIT} x "
        "WHERE x.experiment_id = t.experiment_id)"
    )
    made.note()
    yield made
    portal_database.server.drop_database(name)


OLDEST = (
    f"SELECT id FROM {AUDIT} WHERE conversion_observed AND decision_timestamp > now() - interval '1 hour' "
    "ORDER BY decision_timestamp LIMIT 1"
)


def chain_of(history: History, kind: str, since: int = 0) -> ChainVerdict:
    chains = {month.chain for month in history.facts[0].tables[0].months}
    verdicts = [
        history.verdict(since=since, chain=chain)
        for chain in sorted(chains)
        if any(m.chain == chain and m.month in MONTHS for m in history.facts[0].tables[0].months)
    ]
    return next(verdict for verdict in verdicts if any(change.kind == kind for change in verdict.changes))


def test_the_facts_count_what_the_database_holds(history: History) -> None:
    table = history.facts[0].tables[0]
    manifest = history.manifests[0].table(AUDIT)

    assert {(h.chain, h.rows, h.last, h.head) for h in manifest.chains or ()} == {
        (head.chain, table.rows(head.chain), head.last, head.head)
        for chain in {month.chain for month in table.months}
        if (head := table.head(chain))
    }
    assert sum(month.rows for month in table.months) == manifest.rows
    assert all(sum(b - a + 1 for a, b in month.converted or []) == month.conversions for month in table.months)


def test_a_legal_day_leaves_every_chain_intact_and_lists_its_conversions(history: History) -> None:
    runs = [Seen(facts) for facts in history.facts[:2]]

    verdicts = judge(AUDIT, MONTHS, runs, {f.run: f for f in history.facts})

    assert {verdict.word for verdict in verdicts} == {"intact"}
    assert sum(verdict.decisions for verdict in verdicts) == 40
    assert sum(conversions.count for verdict in verdicts for conversions in verdict.set_conversions) > 0
    assert all(verdict.runs == 2 for verdict in verdicts)


def test_a_conversion_changed_later_is_told_though_others_were_set(history: History) -> None:
    verdict = chain_of(history, "conversion")

    assert verdict.word == "altered"
    assert "changed after they were set" in verdict.changes[0].detail
    assert verdict.changes[0].after == history.facts[2].run


def test_a_cut_tail_is_counted_as_removed(history: History) -> None:
    verdict = chain_of(history, "removed")

    assert (verdict.word, verdict.removed) == ("altered", 1)
    assert verdict.changes[-1].before == history.facts[2].run


def test_months_before_the_forgery_stay_intact(history: History) -> None:
    closed = {month.month for month in history.facts[0].tables[0].months} - MONTHS
    seen = [Seen(facts) for facts in history.facts]

    for verdict in judge(AUDIT, frozenset(closed), seen, {f.run: f for f in history.facts}):
        assert verdict.word == "intact", verdict
        assert verdict.late_rows == 0


def test_a_chain_that_came_after_its_month_had_ended_is_late(history: History) -> None:
    """The month stays intact, and the sentence counts what was written into it afterwards."""
    last = replace(history.facts[1], previous="")
    table, victim = last.tables[0], last.tables[0].months[0]
    without = tuple(month for month in table.months if month.chain != victim.chain)
    then = replace(last, run="A", taken_at="2099-01-01T00:00:00+00:00", tables=(replace(table, months=without),))
    since = replace(last, run="B", taken_at="2099-01-02T00:00:00+00:00")

    verdicts = judge(AUDIT, frozenset({victim.month}), [Seen(then), Seen(since)], {})

    assert {verdict.chain: verdict.late_rows for verdict in verdicts if verdict.late_rows} == {
        victim.chain: victim.rows
    }


def test_an_edited_month_is_told_by_its_digest_alone(history: History) -> None:
    last, table = history.facts[1], history.facts[1].tables[0]
    victim = table.months[0]
    forged = replace(table, months=(replace(victim, decisions_sha256="0" * 64), *table.months[1:]), ends=())
    later = replace(last, run="Z", tables=(forged,), previous="")

    (found,) = [
        verdict
        for verdict in judge(AUDIT, frozenset({victim.month}), [Seen(last), Seen(later)], {})
        if verdict.chain == victim.chain
    ]

    assert (found.word, found.changes[0].kind) == ("altered", "edited")


def test_facts_are_signed_bound_to_their_manifest_and_written_once(history: History) -> None:
    signer = load_signer(generate()[0])
    manifest, facts = history.manifests[0], history.facts[0]

    facts_store.leave(history.store, document_of(facts), signer)
    facts_store.leave(history.store, {**document_of(facts), "policy": "other"}, signer)

    assert facts_store.read(history.store, manifest, signer.verifier) == facts
    with pytest.raises(ManifestError, match="signature"):
        facts_store.read(history.store, manifest, load_signer(generate()[0]).verifier)
    moved = replace(facts, manifest_sha256="0" * 64, run=history.manifests[1].run)
    history.store.put_once(facts_store.evidence_key(moved.run), sealed(document_of(moved), signer))
    with pytest.raises(ManifestError, match="replayed or moved"):
        facts_store.read(history.store, history.manifests[1], signer.verifier)
    assert facts_store.read(history.store, history.manifests[2], signer.verifier) is None


def test_a_document_of_another_format_is_no_facts(history: History) -> None:
    with pytest.raises(ValueError, match="format"):
        from_document({**document_of(history.facts[0]), "format": "x/1"})
    with pytest.raises(ValueError, match="missing or of the wrong kind"):
        from_document({**document_of(history.facts[0]), "tables": [{}]})


def test_sequence_numbers_are_compared_as_ranges() -> None:
    rng = random.Random(7)
    for _ in range(200):
        left, right = ({rng.randrange(30) for _ in range(rng.randrange(20))} for _ in range(2))
        numbers = {number for low, high in added(pairs(left), pairs(right)) for number in range(low, high + 1)}
        assert numbers == right - left
        assert unpacked(packed(pairs(left))) == pairs(left)
        assert from_multirange(multirange(pairs(right))) == pairs(right)
    with pytest.raises(ValueError, match="packed sequence numbers"):
        unpacked("AAAA")
    assert len(packed([(8 * number, 8 * number) for number in range(1, 50_001)])) < 1_000


def pairs(numbers: set[int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if spans and spans[-1][1] == number - 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return spans
