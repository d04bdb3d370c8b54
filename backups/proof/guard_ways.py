"""The ways by which the audit trail's rows are changed without naming its table, or by its owner's rights. Pure.

In: the fingerprint of a run, the table as it quotes it. Out: doors (who may use one may change rows), code that writes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property

from backups.proof.guard_writes import QUALIFIED, QUOTED, Reach, base_of, calls, reach
from providers.postgres.schema.generations import REACH, Row
from providers.postgres.schema.model import Name
from providers.postgres.schema.names import parts

Key = tuple[str, str]
ROUTINES = frozenset(["function", "procedure"])
PARENTS = re.compile(rf" INHERITS \(({QUALIFIED}(?:, {QUALIFIED})*)\)")
REFERENCED = re.compile(rf" FOREIGN KEY \(.*\) REFERENCES ({QUALIFIED})\(")
ACTS = re.compile(r" ON (DELETE|UPDATE) (CASCADE|SET) ?")
CALLED = re.compile(r" EXECUTE (?:FUNCTION|PROCEDURE) (.+?)\(")
ALL = frozenset(["UPDATE", "DELETE", "TRUNCATE", "TRIGGER"])
ROWS = frozenset(["INSERT", "UPDATE", "DELETE"])
INVOKER = "; -- INVOKER"


def parents(text: str) -> list[str]:
    """Of a table's row: what it inherits from or is a part of."""
    return re.findall(QUALIFIED, match[1]) if (match := PARENTS.search(text)) else []


def actions(text: str, words: Collection[str] = ("CASCADE", "SET")) -> set[str]:
    """DELETE and UPDATE, where a foreign key hands them on to the rows that refer."""
    return {act for act, word in ACTS.findall(QUOTED.sub("", text)) if word in words}


class Ways:
    """Of one fingerprint and one table."""

    def __init__(self, rows: Sequence[Row], full: str) -> None:
        self.rows, self.full = rows, full

    @cached_property
    def cascades(self) -> dict[str, set[str]]:
        """Tables whose rows, deleted or with another key, take rows of the trail along."""
        keys = [(row[2], match[1], row[3]) for row in self._of("constraint") if (match := REFERENCED.search(row[3]))]
        found: dict[str, set[str]] = {}
        while True:
            more = {
                (referenced, act)
                for of, referenced, text in keys
                for act in (actions(text) if of == self.full else actions(text, ["CASCADE"]) & found.get(of, set()))
                if act not in found.get(referenced, set())
            }
            if not more:
                return {name: acts for name, acts in found.items() if name != self.full}
            for name, act in more:
                found.setdefault(name, set()).add(act)

    @cached_property
    def relations(self) -> dict[str, Collection[str]]:
        """The trail, what it is a part of, and views through which the server itself writes it: what each lets do."""
        tables = {row[1]: parents(row[3]) for row in self._of("table")}
        found: dict[str, Collection[str]] = {}
        more = [self.full]
        while more := [name for name in more if name not in found]:
            found |= dict.fromkeys(more, ALL)
            more = [name for one in more for name in tables.get(one, [])]
        lets = {row[1]: set(row[3].removeprefix("-- ").split(", ")) for row in self._of(REACH) if row[2]}
        bases = {row[1]: base_of(row[3], self.full) for row in self._of("view") if row[1] in lets}
        while views := {view for view, base in bases.items() if base in found and view not in found}:
            found |= {view: lets[view] & set(found[bases[view]]) for view in views}
        return found

    @cached_property
    def doors(self) -> dict[str, Collection[str]]:
        """Relations, and the rights on them that change rows of the trail."""
        invoked = {row[1] for row in self._of(REACH) if row[3].endswith(INVOKER)}
        found: dict[str, Collection[str]] = {**self.cascades}
        definers = set(self.callable)
        for row in self.rows:
            if self._is_beside(row) and (row[0] == "rule" or self._called_by(row)[1] in definers):
                found[row[2]] = ROWS
        return found | {name: lets for name, lets in self.relations.items() if name not in invoked}

    @cached_property
    def _names(self) -> tuple[Name, ...]:
        return tuple((parts(name)[0], parts(name)[-1]) for name in self.relations)

    @cached_property
    def _reaches(self) -> dict[Key, Reach]:
        return {(row[0], row[1]): reach(row[3], self._names) for row in self.rows if self._may_write(row)}

    def _may_write(self, row: Row) -> bool:
        if row[0] not in ROUTINES and row[0] != "rule":
            return False
        text = row[3].lower()
        hidden = "execute" in text and " security definer" in text
        hidden = hidden or " event_trigger" in text or 'u&"' in text
        return hidden or any(word.lower() in text for _, word in self._names)

    @cached_property
    def _writers(self) -> dict[Key, str]:
        """Code that writes, and what calls it."""
        texts = {(row[0], row[1]): row[3] for row in self.rows if row[0] in ROUTINES}
        more = {
            key
            for key, found in self._reaches.items()
            if found.writes or (found.dynamic and is_definer(texts.get(key, "")))
        } & texts.keys()
        found: dict[Key, str] = {}
        while more:
            found |= {key: texts[key] for key in more}
            names = {last_of(name) for _, name in more}
            more = {key for key in texts.keys() - found.keys() if not names.isdisjoint(calls(body(texts[key])))}
        return found

    @cached_property
    def code(self) -> dict[Key, str]:
        """What writes by another's rights or by itself: SECURITY DEFINER, triggers and rules of other tables."""
        found = {key: text for key, text in self._writers.items() if is_definer(text)}
        for row in self.rows:
            if self._is_beside(row) or row[0] == "subscription":
                found[row[0], row[1]] = row[3]
                if (key := self._called_by(row)) in self._writers:
                    found[key] = self._writers[key]
            elif row[0] == "constraint" and row[2] in self.cascades and actions(row[3], ["CASCADE"]):
                found[row[0], row[1]] = row[3]
        return found | self._below(found)

    def _is_beside(self, row: Row) -> bool:
        """A rule or trigger of another table that writes."""
        if row[2] == self.full:
            return False
        if row[0] == "rule":
            return self._reaches.get((row[0], row[1]), Reach()).writes
        return row[0] == "trigger" and self._called_by(row) in self._writers

    def _called_by(self, row: Row) -> Key:
        match = CALLED.search(row[3])
        return ("function", f"{match[1]}()") if match else ("", "")

    def _below(self, callers: dict[Key, str]) -> dict[Key, str]:
        """Writers that these call."""
        found: dict[Key, str] = {}
        more = callers
        while more:
            said = frozenset[str]().union(*(calls(body(text)) for text in more.values()))
            rest = self._writers.keys() - found.keys() - callers.keys()
            more = {key: self._writers[key] for key in rest if last_of(key[1]) in said}
            found |= more
        return found

    @cached_property
    def callable(self) -> list[str]:
        """Functions that write by the rights of their owner."""
        return [key[1] for key, text in self._writers.items() if is_definer(text)]

    def watching(self) -> Iterator[str]:
        """Event triggers that may refuse a command, or name the trail."""
        texts = {row[1]: row[3].lower() for row in self._of("function")}
        for row in self._of("event trigger"):
            key = self._called_by(row)
            found = self._reaches.get(key, Reach(dynamic=True))  # code that is not seen
            named = any(word.lower() in texts.get(key[1], "") for _, word in self._names)
            if named or found.refuses or found.dynamic or key in self._writers:
                yield row[1]

    def _of(self, kind: str) -> list[Row]:
        return [row for row in self.rows if row[0] == kind]


def other_bodies(before: Sequence[Row], now: Sequence[Row], said: Sequence[str]) -> dict[Key, tuple[str, str]]:
    """Extensions whose code is another: of the same version, or called by these texts."""
    was, there = ({(row[0], row[1]): row[3] for row in rows} for rows in (before, now))
    found = {key: (was[key], there[key]) for key in was if key[0] == "extension body" and key in there}
    return {key: texts for key, texts in found.items() if texts[0] != texts[1] and _is_called(key[1], was, there, said)}


def _is_called(name: str, was: dict[Key, str], there: dict[Key, str], said: Sequence[str]) -> bool:
    versions = {rows.get(("extension", name), "").rpartition(" VERSION ")[2] for rows in (was, there)}
    names = was["extension body", name].partition("; -- FUNCTIONS ")[2].split(", ")
    return len(versions) == 1 or any(one in calls(text) for one in names for text in said)


def is_definer(definition: str) -> bool:
    """As pg_get_functiondef writes it: before its body."""
    return "SECURITY DEFINER" in definition.partition("\nAS ")[0]


def body(definition: str) -> str:
    """Without its own name."""
    return definition.partition("(")[2]


def last_of(name: str) -> str:
    """A routine's last name, without its arguments."""
    return parts(name.partition("(")[0])[-1]
