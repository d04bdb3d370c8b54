"""What each statement locks, writes anew and reads whole on servers 15 to 18, as recorded once and measured again.

`statements.tsv`: a text and what it costs on each version. `pairs.tsv`: every pair of types, the same on all of them.
A run measures a part again on every version that is here; a soak all of it. The analysis is held to every line.
"""

from __future__ import annotations

import psycopg
import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.model import STRENGTH
from migrations_registry.analysis.rule_registry import CATALOGUE
from tests import sampling
from tests.migrations_registry.truth import pairs
from tests.migrations_registry.truth.expected import CANNOT_RUN, CAUTIOUS, NAMES_NO_TABLE
from tests.migrations_registry.truth.kinds import KINDS, kinds_of
from tests.migrations_registry.truth.measuring import REFUSED, Cost, claimed, is_alone, measured, proof_database, read
from tests.migrations_registry.truth.recorded import PAIRS, RECORDED
from tests.other_servers import VERSIONS, of_version

pytestmark = pytest.mark.slow

WORK = {"-": -1, ".": 0, "i": 1, "w": 2}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_does_what_is_recorded(version: int) -> None:
    wrong: dict[object, tuple[str, str]] = {}
    with of_version(version) as server, proof_database(server) as name:
        for text in sampling.share(RECORDED, 80):
            if (cost := measured(server, name, text)) != RECORDED[text][version]:
                wrong[text] = RECORDED[text][version], cost
        with psycopg.connect(server.dsn(name)) as connection, pairs.tables(connection):
            for number in sampling.turns(len(PAIRS), 300):
                before, after = list(PAIRS)[number]
                if (cell := pairs.measured(connection, before, after)) != PAIRS[before, after]:
                    wrong[before, after] = PAIRS[before, after], cell

    assert wrong == {}


def less(said: Cost, done: Cost) -> bool:
    """Whether others feel something of it that nobody told them."""
    weaker = STRENGTH.get(said.lock or "", -1) < STRENGTH.get(done.lock or "", -1)
    return weaker or said.rewrite < done.rewrite or said.scan < done.scan


@pytest.mark.sampled(4)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_analysis_says_what_a_server_does(version: int, proof_facts: CatalogFacts) -> None:
    wrong = {}
    for text, costs in RECORDED.items():
        if costs[version] == REFUSED or text in NAMES_NO_TABLE:
            continue
        done, said = read(costs[version]).felt, claimed(text, proof_facts, version).felt
        if is_alone(text):  # what it reads is not seen from outside
            said = said._replace(scan=False)
        if said != done and (text not in CAUTIOUS or less(said, done)):
            wrong[text] = str(done), str(said)

    assert wrong == {}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("version", VERSIONS)
def test_without_live_facts_it_says_no_less(version: int) -> None:
    wrong = {}
    for text, costs in RECORDED.items():
        if costs[version] != REFUSED and text not in NAMES_NO_TABLE:
            done, said = read(costs[version]).felt, claimed(text, None, version).felt
            if less(said, done):
                wrong[text] = str(done), str(said)

    assert wrong == {}


def test_what_a_version_refuses_is_said_to_need_a_later_one(proof_facts: CatalogFacts) -> None:
    wrong = {}
    for text in sampling.share(RECORDED, 6):
        for version, cost in RECORDED[text].items():
            found = {each.rule for each in analyse(text.encode(), pg_version=version, facts=proof_facts).findings}
            if ("MT-NEEDS-VERSION" in found) != (cost == REFUSED):
                wrong[text, version] = cost

    assert wrong == {}


def test_no_change_of_type_is_called_safer_than_it_is(proof_dsn: str) -> None:
    with psycopg.connect(proof_dsn) as connection, pairs.tables(connection) as facts:
        pass
    wrong, cautious = [], []
    for number in sampling.turns(len(PAIRS), 8):
        before, after = list(PAIRS)[number]
        cell = PAIRS[before, after]
        said, unsure = (WORK[pairs.said(known, before, after)] for known in (facts, None))
        wrong += [(before, after)] if min(said, unsure) < WORK[cell] else []
        cautious += [(before, after)] if cell != "-" and said > WORK[cell] else []

    assert wrong == []
    assert {pair for pair in cautious if not is_cautious(*pair)} == set()


def is_cautious(before: str, after: str) -> bool:
    """Nobody loses by care: what the live catalog does not tell (what a domain stands for), and rare types."""
    return before.startswith("old_") or before == "xml" or "oid" in (before, after)


def test_every_rule_and_every_kind_of_statement_is_measured() -> None:
    samples = {text for rule in CATALOGUE.values() for text in rule.bad} - CANNOT_RUN.keys()
    there = {kind for text in RECORDED for kind in kinds_of(text)}

    assert samples - RECORDED.keys() == set()
    assert KINDS - there - CANNOT_RUN.keys() == set()
    assert (CANNOT_RUN.keys() & RECORDED.keys(), CANNOT_RUN.keys() & there) == (set(), set())
    assert CAUTIOUS.keys() - RECORDED.keys() == set()
