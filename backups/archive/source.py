"""Where a run came from: the database, the instant, and what it had from its server. Values only."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Source:
    """The database and the instant: identity, snapshot bounds (xid8), log position, the database's own clock."""

    database: str
    role: str
    server_version: str
    system_identifier: str
    timeline: int
    xmin: str
    xmax: str
    lsn: str
    taken_at: str


@dataclass(frozen=True)
class Surroundings:
    """What the source had from its server: a drill has it too, as far as it can, and says what it has not.

    `owner`: whom most objects belonged to; a restore gives them to whoever restores.
    """

    collate: str = ""
    ctype: str = ""
    provider: str = ""
    locale: str = ""
    collations: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    owner: str = ""

    @property
    def order(self) -> tuple[str, str, str]:
        """What text is sorted by; empty in a run of the old format."""
        return self.provider, self.collate, self.locale


def plain(value: Any) -> Any:
    """As `asdict`, in a third of its time, for frozen values: nothing is copied."""
    if isinstance(value, (str, int)) or value is None:
        return value
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return {name: plain(getattr(value, name)) for name in _fields_of(value.__class__)} if is_dataclass(value) else value


@cache
def _fields_of(kind: Any) -> list[str]:
    return [field.name for field in fields(kind)]


def qualified(schema: str, name: str) -> str:
    """schema.name, a schema that has a dot in quotes: as `providers.postgres.schema.model` calls a table."""
    plain = "." not in schema and not schema.startswith('"')
    return f"{schema}.{name}" if plain else '"' + schema.replace('"', '""') + f'".{name}'
