"""Random histories of a chain under two policies, against a model that knows what was forged: never a wrong word.

OPS_TEST_EVIDENCE_WALKS walks; each ends with one run of each policy, so that every forgery had its chance to be seen.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from backups.evidence.chain_assessment import judge
from backups.evidence.verdicts import Seen
from backups.facts.model import Conversions, End, Month, RunFacts, TableFacts, document_of
from backups.facts.sequence_ranges import packed
from tests import sampling
from tests.offline import verify_backup

WALKS = sampling.size("EVIDENCE_WALKS")
TABLE, CHAIN = "public.algorithm_audit_trail", "c"
MONTHS = frozenset({"2026-03", "2026-04"})
BEGIN = datetime(2026, 3, 28, tzinfo=UTC)


def digest(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


@dataclass
class Row:
    content: str
    month: str
    conversion: str = ""


@dataclass
class World:
    """One chain as production holds it; `seen` are its rows' numbers in any run, `told` its conversions in any run."""

    rng: random.Random
    at: datetime = BEGIN
    rows: list[Row] = field(default_factory=list)
    runs: list[RunFacts] = field(default_factory=list)
    seen: int = 0
    told: set[int] = field(default_factory=set)
    forged: bool = False

    def hashes(self) -> list[str]:
        chain, found = "", []
        for row in self.rows:
            chain = digest(chain, row.content, row.month)
            found.append(chain)
        return found

    def decide(self) -> None:
        for _ in range(self.rng.randrange(1, 6)):
            self.rows.append(Row(str(self.rng.random()), f"{self.at:%Y-%m}"))

    def convert(self) -> None:
        if free := [row for row in self.rows if not row.conversion]:
            self.rng.choice(free).conversion = str(self.rng.random())

    def wait(self) -> None:
        self.at += timedelta(hours=self.rng.randrange(1, 40))

    def edit(self) -> None:
        """Another content, every hash from there on computed anew."""
        if self.rows:
            number = self.rng.randrange(len(self.rows))
            self.rows[number].content = str(self.rng.random())
            self.forged |= number < self.seen

    def cut(self) -> None:
        gone = self.rng.randrange(1, 4)
        self.forged |= bool(self.rows) and max(len(self.rows) - gone, 0) < self.seen
        del self.rows[max(len(self.rows) - gone, 0) :]
        self.told = {number for number in self.told if number < len(self.rows)}
        self.seen = min(self.seen, len(self.rows))

    def convert_again(self) -> None:
        if had := [number for number, row in enumerate(self.rows) if row.conversion]:
            number = self.rng.choice(had)
            self.rows[number].conversion = self.rng.choice(["", str(self.rng.random())])
            self.forged |= number in self.told
            self.told -= {number} if not self.rows[number].conversion else set()

    def run(self, policy: str) -> None:
        """What the drill of a run writes down."""
        self.at += timedelta(minutes=1)
        hashes, before = (
            self.hashes(),
            next((earlier for earlier in reversed(self.runs) if earlier.policy == policy), None),
        )
        months = tuple(
            self._month(month, hashes) for month in sorted(MONTHS) if any(r.month == month for r in self.rows)
        )
        ends, kept = (), ()
        if before:
            was = before.tables[0]
            head = was.head(CHAIN)
            ends = (
                (
                    End(
                        CHAIN,
                        head.last,
                        min(head.last, len(hashes)),
                        hashes[head.last - 1] if head.last <= len(hashes) else "",
                    ),
                )
                if head
                else ()
            )
            now = {month.month: month.conversions_sha256 for month in months}
            kept = tuple(
                self._kept(month)
                for month in was.months
                if month.conversions and now.get(month.month) != month.conversions_sha256
            )
        self.runs.append(
            RunFacts(
                f"{len(self.runs):03d}",
                f"sha{len(self.runs)}",
                "production",
                policy,
                self.at.isoformat(),
                (TableFacts(TABLE, months, ends, kept),),
                before.run if before else "",
                before.manifest_sha256 if before else "",
            )
        )
        self.seen = max(self.seen, len(self.rows))
        self.told |= {number for number, row in enumerate(self.rows) if row.conversion}

    def _month(self, month: str, hashes: list[str]) -> Month:
        own = [number for number, row in enumerate(self.rows) if row.month == month]
        places = [number + 1 for number in own if self.rows[number].conversion]
        return Month(
            CHAIN,
            month,
            len(own),
            own[0] + 1,
            own[-1] + 1,
            hashes[own[-1]],
            digest(*(f"{number}:{hashes[number]}" for number in own)),
            len(places),
            self._conversions(places),
            packed([(place, place) for place in places]),
        )

    def _conversions(self, places: list[int]) -> str:
        return digest(*(f"{place}:{self.rows[place - 1].conversion}" for place in places if place <= len(self.rows)))

    def _kept(self, was: Month) -> Conversions:
        places = [place for low, high in was.converted or [] for place in range(low, high + 1)]
        there = [place for place in places if place <= len(self.rows)]
        return Conversions(CHAIN, was.month, len(there), self._conversions(there))


LEGAL = ("decide", "decide", "convert", "convert", "wait", "wait")
FORGERIES = ("edit", "cut", "convert_again")


def walk(seed: int) -> World:
    world = World(random.Random(seed))
    actions = [*LEGAL, *(FORGERIES if seed % 2 else ())]
    for _ in range(world.rng.randrange(8, 30)):
        getattr(world, world.rng.choice(actions))()
        if world.rng.random() < 0.4:
            world.run(world.rng.choice(["hourly", "daily"]))
    world.wait()
    for policy in ("hourly", "daily"):
        world.run(policy)
    return world


def offline(world: World) -> str:
    """The word of bin/verify_backup.py on the same facts."""
    papers = []
    for run in world.runs:
        paper = verify_backup.Paper.__new__(verify_backup.Paper)
        paper.name, paper.facts, paper.sha256 = run.run, document_of(run), run.manifest_sha256
        paper.taken_at, paper.status = run.taken_at, "proven"
        papers.append(paper)
    known = {paper.name: paper for paper in papers}
    told = [verify_backup.judge_chain((TABLE, CHAIN), month, papers, known) for month in sorted(MONTHS)]
    assert not any(gaps for _, gaps in told)
    return "altered" if any(changes for changes, _ in told) else "intact"


@pytest.mark.parametrize("part", range(4))
def test_the_word_is_altered_exactly_when_something_seen_was_forged(part: int) -> None:
    words = {"altered": 0, "intact": 0}
    for seed in range(part, WALKS, 4):
        world = walk(seed)
        verdicts = judge(TABLE, MONTHS, [Seen(run) for run in world.runs], {run.run: run for run in world.runs})
        word = verdicts[0].word if verdicts else "intact"

        assert word == ("altered" if world.forged else "intact"), (seed, verdicts)
        assert offline(world) == word, seed
        words[word] += 1
    assert all(words.values()) or part % 2 == 0
