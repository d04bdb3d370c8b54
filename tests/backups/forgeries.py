"""Every kind of forgery of an audit trail: who forges, and what the next run has to call it, or why nobody can know.

In: a connection to a Sampelit, N. Out: chains of their own for each kind; after `forge`, what was forged, by finding.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import cycle, groupby
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from sandbox import chain as product
from sandbox.people import SEGMENTS, digest, visitor
from sandbox.seed import ALGORITHM, ASSIGNMENT, AUDIT, copy
from sandbox.traffic import decide

LENGTH = 17
SAMPLES = 41  # chains that are drawn and hashed; all others are one of them under ids of their own
decision_hash = cache(product.decision_hash)
Row = dict[str, Any]
COLUMNS = AUDIT.split()
# One row of a chain each; the number is the row's. What no hash covers, then what is set once.
UNHASHED = {
    2: ("a context hash replaced", "context_hash = repeat('0', 64)"),
    3: ("a context hash emptied", "context_hash = NULL"),
    4: ("a user agent replaced", "user_agent_hash = md5(user_agent_hash)"),
    5: ("a user agent blanked", "user_agent_hash = ''"),
    6: ("an algorithm renamed", "algorithm_version = algorithm_version || '!'"),
    7: ("a time of writing moved", "created_at = created_at - interval '1 microsecond'"),
    8: ("an assignment exchanged", "assignment_id = gen_random_uuid()"),
}
CONVERSIONS = {
    2: ("a conversion worth a cent more", "conversion_value = conversion_value + 0.01"),
    3: ("a conversion multiplied", "conversion_value = conversion_value * 100"),
    4: ("a conversion withdrawn", "conversion_observed = false, conversion_timestamp = NULL, conversion_value = NULL"),
    5: ("a conversion moved in time", "conversion_timestamp = conversion_timestamp - interval '1 day'"),
    6: ("a conversion without a value", "conversion_value = NULL"),
    7: ("a conversion called none", "conversion_observed = false"),
    8: ("a conversion without a time", "conversion_timestamp = NULL"),
}
# Hashed, the hashes left as they were; never two neighbours.
HASHED = {
    2: ("another visitor", "visitor_id = 'forged'"),
    4: ("another variant", "selected_variant_id = gen_random_uuid()"),
    6: ("another time", "decision_timestamp = decision_timestamp + interval '1 microsecond'"),
    8: ("another segment", "segment_key = segment_key || '.'"),
    10: ("no segment", "segment_key = NULL"),
    12: ("another link", "previous_hash = md5(previous_hash)"),
    14: ("another hash", "decision_hash = md5(decision_hash)"),
    LENGTH: ("another number", "sequence_number = sequence_number + 50"),
}
BREAKS = {"another hash": 2}  # the row itself and the one that is linked to it


def _set(number: int, **values: Any) -> Callable[[list[Row]], None]:
    return lambda rows: rows[number - 1].update(values)


def _later(rows: list[Row]) -> None:
    rows[3]["decision_timestamp"] += timedelta(microseconds=1)


def _exchanged(rows: list[Row]) -> None:
    for name in ("visitor_id", "selected_variant_id", "segment_key"):
        rows[2][name], rows[3][name] = rows[3][name], rows[2][name]


def _squeezed_in(rows: list[Row]) -> None:
    rows.insert(4, {**rows[4], "id": uuid4(), "visitor_id": "forged"})


def _regrown(rows: list[Row]) -> None:
    fresh = [{"id": uuid4(), "assignment_id": uuid4(), "visitor_id": f"forged {number}"} for number in range(2)]
    rows[-2:] = [{**row, **values} for row, values in zip(rows[-2:], fresh, strict=True)]


def _grown(rows: list[Row]) -> None:
    rows.append({**rows[-1], "id": uuid4(), "visitor_id": "forged"})


def _repeated(rows: list[Row]) -> None:
    rows.append({**rows[1], "id": uuid4()})


# A chain changed and its numbers, links and hashes computed anew, so that it holds by itself.
REBUILT: dict[str, Callable[[list[Row]], Any]] = {
    "a visitor, rehashed": _set(2, visitor_id="forged"),
    "a variant, rehashed": _set(3, selected_variant_id=UUID(int=7)),
    "a time, rehashed": _later,
    "a segment, rehashed": _set(5, segment_key="forged"),
    "two decisions exchanged": _exchanged,
    "a decision taken out, closed up": lambda rows: rows.pop(4),
    "the first decision taken out, closed up": lambda rows: rows.pop(0),
    "a decision squeezed in": _squeezed_in,
    "the end cut and grown again": _regrown,
    "a backdated decision at the end": _grown,
    "an old decision once more": _repeated,
}
REMOVED = {  # which rows go
    "a decision removed": "sequence_number = 5",
    "the first decision removed": "sequence_number = 1",
    "the last decision removed": f"sequence_number = {LENGTH}",
    "all but the first removed": "sequence_number > 1",
    "a chain removed": "true",
}
MOVED = ("a chain given to another experiment", "two chains exchanged", "a backdated chain", "an experiment removed")
# What no next run can know; the evidence says each in these words.
UNKNOWABLE = {
    "a decision made up today": "A decision or a conversion that was forged when it was first written looks like a",
    "a first conversion made up": "A decision or a conversion that was forged when it was first written looks like a",
    "a value changed and changed back": "values that were changed and changed back",
    "a decision written and removed again": "Rows that were written and removed again between two proven runs",
}
KINDS = [
    *(name for table in (UNHASHED, CONVERSIONS, HASHED) for name, _ in table.values()),
    *(*REBUILT, *REMOVED, *MOVED, *UNKNOWABLE),
]


@dataclass
class Forged:
    """`rows`: ids by code; `numbers`: how many of what is told by place; `kinds`: what was really done, with counts."""

    rows: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    numbers: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    kinds: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class Forger:
    """`chains`: experiments by the table or kind that they are forged by, `count` each; two for an exchange."""

    def __init__(self, connection: psycopg.Connection, count: int) -> None:
        self.connection, self.count = connection, count
        self.samples = cycle([_sample(number) for number in range(min(SAMPLES, count))])
        self.chains = {name: self._chains() for name in self._groups()}
        self.forged = Forged()

    def _groups(self) -> Iterator[str]:
        yield from ("unhashed", "conversions", "hashed", "quiet", "others", *REBUILT, *REMOVED, *MOVED)

    def _experiments(self, count: int) -> list[UUID]:
        made = [uuid4() for _ in range(count)]
        self.connection.execute(
            "INSERT INTO experiments (id, user_id, name) SELECT e, (SELECT min(id::text)::uuid FROM users), 'forged'"
            " FROM unnest(%s::uuid[]) e",
            [made],
        )
        return made

    def _chains(self) -> list[UUID]:
        made = self._experiments(self.count)
        rows = [
            {**row, "id": uuid4(), "experiment_id": chain, "assignment_id": uuid4()}
            for chain in made
            for row in next(self.samples)
        ]
        shown, at = Jsonb({}), "decision_timestamp"
        assigned = [
            [r["assignment_id"], r["experiment_id"], r["visitor_id"], shown, shown, r[at], None, None] for r in rows
        ]
        copy(self.connection, "assignments", ASSIGNMENT, assigned)
        self._write(rows)
        return made

    def forge(self) -> Forged:
        """Everything at once, `count` of each kind."""
        for table, chains, code in (
            (UNHASHED, "unhashed", "row_edited"),
            (CONVERSIONS, "conversions", "conversion_changed"),
            (HASHED, "hashed", "row_edited"),
        ):
            for number, (kind, change) in table.items():
                ids = self._update(change, self.chains[chains], number)
                self._note(kind, code, ids)
                self.forged.numbers["chain_broken"] += len(ids) * BREAKS.get(kind, 1) * (table is HASHED)
        self.forged.numbers["row_backdated"] += self.count  # a number higher than the run before had
        for kind, change in REBUILT.items():
            chains = self._rows(self.chains[kind])
            self._delete(self.chains[kind])
            self._write([row for rows in chains for row in self._rebuilt(kind, rows, change)])
        for kind, which in REMOVED.items():
            self._remove(kind, which)
        self._move()
        self._quietly()
        return self.forged

    def _note(self, kind: str, code: str, ids: set[str]) -> None:
        self.forged.rows[code] |= ids
        self.forged.kinds[kind] += self.count if ids else 0

    def _update(self, change: str, chains: list[UUID], number: int) -> set[str]:
        update = f"UPDATE algorithm_audit_trail SET {change} WHERE experiment_id = ANY (%s) AND sequence_number = %s"
        return {str(row[0]) for row in self.connection.execute(f"{update} RETURNING id", [chains, number])}

    def _rows(self, chains: list[UUID]) -> list[list[Row]]:
        query = (
            f"SELECT {', '.join(COLUMNS)} FROM algorithm_audit_trail WHERE experiment_id = ANY (%s)"
            " ORDER BY experiment_id, sequence_number"
        )
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in self.connection.execute(query, [chains])]
        return [list(chain) for _, chain in groupby(rows, lambda row: row["experiment_id"])]

    def _write(self, rows: list[Row]) -> None:
        copy(self.connection, "algorithm_audit_trail", AUDIT, [[row[name] for name in COLUMNS] for row in rows])

    def _delete(self, chains: list[UUID]) -> None:
        self.connection.execute("DELETE FROM algorithm_audit_trail WHERE experiment_id = ANY (%s)", [chains])

    def _rebuilt(self, kind: str, chain: list[Row], change: Callable[[list[Row]], Any]) -> list[Row]:
        before = {row["id"]: row for row in chain}
        rows = [dict(row) for row in chain]
        change(rows)
        _hash(rows)
        now = {row["id"]: row for row in rows}
        gone = {str(key) for key in before.keys() - now.keys()}
        self.forged.rows["rows_removed"] |= gone
        self.forged.rows["row_edited"] |= {str(key) for key in before.keys() & now.keys() if before[key] != now[key]}
        self.forged.numbers["assignment_unaudited"] += len(gone)
        self.forged.numbers["row_backdated"] += sum(row["sequence_number"] > len(before) for row in rows)
        self.forged.kinds[kind] += 1
        return rows

    def _remove(self, kind: str, which: str) -> None:
        query = f"DELETE FROM algorithm_audit_trail WHERE experiment_id = ANY (%s) AND {which} RETURNING id"
        ids = {str(row[0]) for row in self.connection.execute(query, [self.chains[kind]])}
        codes = {
            "a decision removed": "rows_removed",
            "the first decision removed": "rows_removed",
            "a chain removed": "chain_removed",
        }
        self._note(kind, codes.get(kind, "tail_cut"), ids)
        self.forged.numbers["assignment_unaudited"] += len(ids)
        self.forged.numbers["chain_broken"] += self.count * (codes.get(kind) == "rows_removed")

    def _move(self) -> None:
        """What happens to whole chains."""
        given, exchanged, grown, removed = MOVED
        self._note(given, "row_edited", self._hand_over(self.chains[given], self._experiments(self.count)))
        one, other, between = self.chains[exchanged], self.chains["others"], self._experiments(self.count)
        self._hand_over(one, between)
        ids = self._hand_over(other, one)
        self._note(exchanged, "row_edited", ids | self._hand_over(between, other))
        copies = zip(self._rows(self.chains[grown]), self._experiments(self.count), strict=True)
        self._write([{**row, "id": uuid4(), "experiment_id": to} for rows, to in copies for row in rows])
        self.forged.numbers["row_backdated"] += 2 * LENGTH * self.count  # of what was given and of what has grown
        ids = {str(row["id"]) for rows in self._rows(self.chains[removed]) for row in rows}
        self.connection.execute("DELETE FROM experiments WHERE id = ANY (%s)", [self.chains[removed]])
        self._note(removed, "chain_removed", ids)
        self.forged.kinds.update(dict.fromkeys(MOVED, self.count))

    def _hand_over(self, chains: list[UUID], to: list[UUID]) -> set[str]:
        update = (
            "UPDATE algorithm_audit_trail a SET experiment_id = b FROM unnest(%s::uuid[], %s::uuid[]) moved (a, b)"
            " WHERE experiment_id = moved.a RETURNING a.id"
        )
        return {str(row[0]) for row in self.connection.execute(update, [chains, to])}

    def _quietly(self) -> None:
        """What leaves no trace: it looks like the product's own work, or is over before anybody looks."""
        chains, rng = self.chains["quiet"], random.Random(4)
        made = "conversion_observed = true, conversion_timestamp = now(), conversion_value = 9"
        assert len(self._update(made, chains, 12)) == self.count
        for change in ("visitor_id = visitor_id || '!'", "visitor_id = rtrim(visitor_id, '!')"):
            assert len(self._update(change, chains, 2)) == self.count
        for _ in range(self.count):
            decide(self.connection, rng)
            forged = decide(self.connection, rng)
            gone = "DELETE FROM algorithm_audit_trail WHERE id = %s RETURNING assignment_id"
            (assignment,) = self.connection.execute(gone, [forged]).fetchone()  # type: ignore[misc]
            self.connection.execute("DELETE FROM assignments WHERE id = %s", [assignment])
        self.forged.kinds.update(dict.fromkeys(UNKNOWABLE, self.count))


def _sample(seed: int) -> list[Row]:
    """A chain of the last quarter; rows 2 to 8 converted."""
    rng, start = random.Random(seed), datetime.now(UTC) - timedelta(days=90)
    rows = []
    for number in range(1, LENGTH + 1):
        at = start + timedelta(days=number, microseconds=rng.randrange(10**6))
        sold = (True, at + timedelta(hours=1), 10 + number) if 2 <= number <= 8 else (False, None, None)
        fixed = [None, None, f"{visitor(rng)} {number}", uuid4(), None, at, rng.choice(SEGMENTS), ALGORITHM]
        rows.append(dict(zip(COLUMNS, [*fixed, digest(rng), digest(rng), *sold, number, None, "", at], strict=True)))
    _hash(rows)
    return rows


def _hash(rows: list[Row]) -> None:
    previous = None
    for number, row in enumerate(rows, 1):
        row["sequence_number"], row["previous_hash"] = number, previous
        hashed = [row[name] for name in ("visitor_id", "selected_variant_id", "segment_key", "decision_timestamp")]
        previous = row["decision_hash"] = decision_hash(*hashed, previous, number)
