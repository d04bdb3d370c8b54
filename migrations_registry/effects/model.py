"""The words of effects: one that happened, one that is allowed, all that a file declares.

Kinds are PostgreSQL's own (pg_identify_object_as_address); names are tuples without quotes, schema first.
"""

from __future__ import annotations

from dataclasses import dataclass

Name = tuple[str, ...]

INSERTED, UPDATED, DELETED = "inserted", "updated", "deleted"
TRUNCATED, REWRITTEN = "truncated", "rewritten"
CREATED, DROPPED, ALTERED = "created", "dropped", "altered"
MOVED, SET_BACK = "moved", "set back"
# Signs: rights given to many, rights taken away, switched off, made again as it was, gone when the session ends.
OPENS, TAKES, OFF, SAME, ENDS = "opens", "takes", "off", "same", "ends"
ROWS = frozenset({INSERTED, UPDATED, DELETED})


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that happened. `owners`: itself and what it is a part of, as (kind, *name).

    `rows` and `size_bytes` of a rewritten relation are about what it held. `expected`: rows that were declared.
    """

    verb: str
    kind: str
    name: Name
    aspects: frozenset[str] = frozenset()
    rows: int = 0
    renamed: Name = ()
    owners: frozenset[Name] = frozenset()
    signs: frozenset[str] = frozenset()
    size_bytes: int = 0
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may happen to one object; `parts`: and to what belongs to it. Empty kinds, aspects or name: any.

    `cascades`: also what cannot stay without it. `because`: where the file says so, for the page and the journal.
    `statement`: its place in the file, where the rows are that statement's own and no others. `most`: only up
    to so many rows.
    """

    verbs: frozenset[str]
    name: Name = ()
    kinds: frozenset[str] = frozenset()
    aspects: frozenset[str] = frozenset()
    parts: bool = False
    cascades: bool = False
    because: str = ""
    statement: int = -1
    most: int | None = None

    def concerns(self, effect: Effect) -> bool:
        """Whether this is about the effect's object and verb; of its aspects, `aspects` says which."""
        if effect.verb not in self.verbs or (self.kinds and effect.kind not in self.kinds):
            return False
        if self.most is not None and effect.rows > self.most:
            return False
        if not self.name or self.name in (effect.name, effect.renamed):
            return True
        if not self.parts:
            return False
        within = effect.name[: len(self.name)] == self.name or effect.renamed[: len(self.name)] == self.name
        return within or any(owner[1:] == self.name for owner in effect.owners)


@dataclass(frozen=True, slots=True)
class DeclaredEffects:
    """Everything that some statements may do."""

    allowances: tuple[Allowance, ...] = ()

    def __or__(self, other: DeclaredEffects) -> DeclaredEffects:
        return DeclaredEffects(tuple(dict.fromkeys((*self.allowances, *other.allowances))))
