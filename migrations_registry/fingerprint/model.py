"""The frozen facts of a fingerprint, and how they are stored as plain JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from migrations_registry.fingerprint.canonical import canonical
from providers.postgres.schema.generations import as_of, generation


@dataclass(frozen=True)
class SchemaObject:
    """`of` is the table (or other object) it belongs to, empty for what stands alone."""

    kind: str
    name: str
    of: str
    sql: str
    sha256: str

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.name


@dataclass(frozen=True)
class Fingerprint:
    """A schema at one moment; equal digests mean equal schemas."""

    objects: tuple[SchemaObject, ...]

    @cached_property
    def sha256(self) -> str:
        lines = "\n".join(f"{item.kind}\0{item.name}\0{item.sha256}" for item in self.objects)
        return hashlib.sha256(lines.encode()).hexdigest()

    @cached_property
    def by_key(self) -> dict[tuple[str, str], SchemaObject]:
        return {item.key: item for item in self.objects}

    @cached_property
    def generation(self) -> int:
        """The reading's."""
        return generation((item.kind, item.name) for item in self.objects)

    def as_of(self, reading: int) -> Fingerprint:
        """As releases of that generation read schemas."""
        if reading == self.generation:
            return self
        return of_rows((row[0], row[1], row[2], row[3]) for row in as_of(self._rows, reading))

    @property
    def _rows(self) -> list[tuple[str, str, str, str]]:
        return [(item.kind, item.name, item.of, item.sql) for item in self.objects]

    def as_json(self) -> list[list[str]]:
        return [[item.kind, item.name, item.of, item.sql, item.sha256] for item in self.objects]


def of_rows(rows: Iterable[tuple[str, str, str, str]]) -> Fingerprint:
    """From what the catalogue says: (kind, name, of, sql)."""
    objects = [SchemaObject(kind, name, of, sql, digest(kind, sql)) for kind, name, of, sql in rows]
    return Fingerprint(tuple(sorted(objects, key=lambda item: item.key)))


def from_json(rows: Iterable[Sequence[str]]) -> Fingerprint:
    return Fingerprint(tuple(SchemaObject(*row) for row in rows))


@lru_cache(maxsize=8192)  # a schema is read again and again and hardly ever changes
def digest(kind: str, sql: str) -> str:
    """Of one object, up to how its SQL is written."""
    text = sql if kind in ("column order", "comment") else canonical(sql)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
