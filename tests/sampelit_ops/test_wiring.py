"""What makes the portal safe is registered, each thing once: a line that goes, comes or changes must do so here too."""

from __future__ import annotations

import difflib

from tests.sampelit_ops.wired import WIRING
from tests.sampelit_ops.wired_kinds import KINDS
from tests.wiring import registered

WORDS = ("admin", "doctor", "ledger sentences", "template tags")  # several a line in the table
TABLE = {"kinds": KINDS.strip().splitlines()} | {
    registry: text.split() if registry in WORDS else text.strip().splitlines() for registry, text in WIRING.items()
}


def differing(found: dict[str, list[str]]) -> str:
    assert set(found) == set(TABLE)
    changed = [
        line
        for registry, lines in TABLE.items()
        for line in difflib.unified_diff(lines, found[registry], f"{registry}: table", "running project", "", "", 1, "")
    ]
    return "\n".join(changed)


def test_what_is_registered_is_what_the_table_says() -> None:
    assert not (changes := differing(registered())), f"Intended? Then change the table as well:\n{changes}"


def test_rehearsals_and_accidents_are_of_the_demo_alone() -> None:
    changes = differing(registered(DEMO="0")).splitlines()

    missing = {line[1:].split()[0] for line in changes if line[0] == "-" and line[1] not in "- "}
    assert missing == {
        *(f"rehearsal.{word}" for word in ("destructive", "routine", "sensitive", "urgent")),
        *("Health", "demo.accident.provoked", "demo.accident.put_back"),
    }
    assert not [line for line in changes if line[0] == "+" and line[1] != "+"]


def test_no_two_things_share_a_place() -> None:
    for registry in ("home panels", "home widgets", "set-up"):
        orders = [line.split()[0] for line in TABLE[registry]]
        assert len(orders) == len(set(orders)), registry
    places = [tuple(line.split()[:2]) for line in TABLE["sidebar"]]
    assert len(places) == len(set(places))
