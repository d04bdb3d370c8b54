"""The database that a run is loaded into to be compared. In: a way to start a server. Out: a connection that may write.

Server and database are new, and gone after the block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from providers import postgres
from providers.embedded_postgres.server import EmbeddedPostgres, throwaway
from providers.postgres.connection import Connection

Server = Callable[[], AbstractContextManager[EmbeddedPostgres]]
NAME = "drill"
drill_server: Server = throwaway  # looked up at each drill: a test names a server that runs already


@contextmanager
def drill_database(server: Server | None = None) -> Iterator[Connection]:
    """An empty database of a server of its own, by default of the kind that `drill_server` starts."""
    with (server or drill_server)() as running:
        running.create_database(NAME)
        connection = postgres.connect(running.dsn(NAME), read_only=False)
        try:
            yield connection
        finally:
            connection.close()
