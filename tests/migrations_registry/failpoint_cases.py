"""Places of an application × kinds of file × faults, each place once before any comes again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product

from migrations_registry.apply import failpoints
from tests import sampling
from tests.migrations_registry.faults import ENDS

WALKS = sampling.size("FAILPOINTS")
SEED = sampling.SEED
LOSES = ("restore_point.", "transaction.kept")


@dataclass(frozen=True)
class Case:
    """`mixed`: a transaction, a statement that runs alone, another transaction; else one transaction."""

    place: str
    mixed: bool
    fault: str

    @property
    def loses(self) -> bool:
        return self.place.startswith(LOSES)

    def text(self, number: int) -> str:
        made = f"CREATE TABLE t_{number} (id integer); INSERT INTO t_{number} VALUES (1);"
        if self.mixed or self.place.startswith("alone."):
            made += f"CREATE INDEX CONCURRENTLY i_{number} ON t_{number} (id);"
        if self.loses:
            return made + f"ALTER TABLE users DROP COLUMN c_{number}"
        return made + f"ALTER TABLE t_{number} ADD COLUMN note text"


def cases() -> list[Case]:
    """Each place once before any comes again, with kinds and faults by the seed."""
    chance = random.Random(SEED)
    by_place = {place: [Case(place, *rest) for rest in product((False, True), ENDS)] for place in failpoints.NAMES}
    for of_a_place in by_place.values():
        chance.shuffle(of_a_place)
    rounds = [chance.sample(round_, len(round_)) for round_ in zip(*by_place.values(), strict=True)]
    return [case for round_ in rounds for case in round_][:WALKS]
