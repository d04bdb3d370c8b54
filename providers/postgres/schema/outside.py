"""What a database holds besides its ordinary tables. In: a session. Out: counts by topic; nothing's content is read."""

from __future__ import annotations

from dataclasses import dataclass

from providers.postgres.connection import Connection, statements

TOPICS = (
    "auth",
    "storage rows",
    "storage files",
    "vault",
    "cron jobs",
    "roles",
    "settings",
    "large objects",
    "unlogged tables",
    "extension tables",
    "foreign tables",
    "publications",
    "subscriptions",
)


@dataclass(frozen=True)
class Outside:
    """`names` are examples, at most 20."""

    topic: str
    count: int
    names: tuple[str, ...] = ()


def read_outside(connection: Connection) -> list[Outside]:
    """A line for every topic, in their order."""
    found = {topic: (count, names) for topic, count, names in connection.execute(statements("outside"))}
    return [
        Outside(topic, int(found[topic][0]), tuple(found[topic][1])) if topic in found else Outside(topic, 0)
        for topic in TOPICS
    ]
