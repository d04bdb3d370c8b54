"""The guard alone: with an analysis that calls everything routine, no file takes, opens or switches off anything.

Every text of the peers' corpus and of our own tests, on a database prepared for it; of the many, a seeded part.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from migrations_registry.analysis.model import DESTRUCTIVE
from migrations_registry.analysis.risk import ROUTINE
from migrations_registry.analysis.rule_registry import CATALOGUE
from tests import sampling, skips
from tests.migrations_registry.effects.arena import Arena
from tests.migrations_registry.effects.bench import cases
from tests.migrations_registry.effects.conftest import OWNER

pytestmark = pytest.mark.django_db(transaction=True)
HERE = Path(__file__).parent
PARTS = 90
FUNCTIONS = (HERE / "functions.sql").read_text()


def own_texts() -> dict[str, str]:
    """The samples of every rule, ordinary migrations, and every way to hide a destructive call."""
    samples = {
        f"{rule.id}/{number}": text
        for rule in CATALOGUE.values()
        for number, text in enumerate((*rule.bad, *rule.good))
    }
    ordinary = {f"ordinary/{name}": text for name, text in cases(HERE / "harmless.sql").items()}
    hidden = {f"hidden/{name}": FUNCTIONS + text for name, text in cases(HERE / "hidden_calls.sql").items()}
    return samples | ordinary | hidden


def peers_texts() -> dict[str, str]:
    found = {}
    for file in ("migrations.jsonl", "analysis-findings.jsonl"):
        lines = skips.shared("corpus", file).read_text(encoding="utf-8").splitlines()
        found |= {case["id"]: case["sql"] for case in map(json.loads, lines)}
    return found


@pytest.fixture
def arena(bench_database: str, ana: User, settings: Any) -> Iterator[Arena]:
    settings.OPS_LEASE_SECONDS = 3600
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield Arena(bench_database, OWNER, ana, monkeypatch)


def walk(arena: Arena, texts: dict[str, str], risk: str) -> tuple[dict[str, Any], int, int]:
    """What was lost by text; how many were applied, and how many ran at all."""
    lost, applied, ran = {}, 0, 0
    for name, text in texts.items():
        if not sampling.chosen(name, PARTS):
            continue
        outcome = arena.run(text, risk)
        ran += outcome is not None
        applied += outcome is not None and not outcome.error
        if outcome and outcome.lost:
            lost[name] = (text, sorted(outcome.lost))
    return lost, applied, ran


@pytest.mark.specs
def test_no_text_of_the_peers_destroys_anything_as_routine(arena: Arena) -> None:
    lost, applied, ran = walk(arena, peers_texts(), ROUTINE)

    assert lost == {}
    assert applied <= ran
    assert not sampling.WHOLE or (applied > 150 and ran > 450), (applied, ran)


def test_no_text_of_our_own_destroys_anything_as_routine(arena: Arena) -> None:
    lost, applied, ran = walk(arena, own_texts(), ROUTINE)

    assert lost == {}
    assert applied <= ran
    assert not sampling.WHOLE or (applied > 80 and ran > 350), (applied, ran)


def test_what_was_voted_on_takes_only_what_its_text_names(arena: Arena) -> None:
    """As destructive: whatever is lost stands in the text, or hangs on something that the text drops with CASCADE."""
    lost, applied, ran = walk(arena, own_texts(), DESTRUCTIVE)

    unnamed = {name: key for name, (text, keys) in lost.items() for key in keys if not _is_named(key, text)}
    assert unnamed == {}
    assert applied <= ran
    assert not sampling.WHOLE or applied > 250, (applied, ran)


# Behind a foreign key and a view of the database that every text is tried on.
BEHIND = {"children": "keep", "target": "seen"}


def _is_named(key: tuple[str, str], text: str) -> bool:
    """The object, the table it belongs to, what it stands behind, or everything that hangs on what is dropped."""
    words = key[1].replace('"', "").replace("#", ".").replace(" of ", ".").replace("(", ".").split(".")
    words += [BEHIND[word] for word in words if word in BEHIND]
    said = text.lower()
    told = "cascade" in said or (key[0] == "only default" and "default privileges" in said)
    return told or any(word and word.lower() in said for word in words)
