"""The demo's embedded PostgreSQL for the portal's own database: adopted while it runs, else started for the body."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from providers.embedded_postgres.server import EmbeddedPostgres, data_home
from sampelit_ops.demo.paths import DATA

NAME = "sampelit_ops"
ROLE = "sampelit_ops_portal"  # as which the portal runs; it owns nothing


@contextmanager
def demo_cluster() -> Iterator[EmbeddedPostgres]:
    """Yield the server, with the portal's database in it; one that this call started is stopped afterwards."""
    with EmbeddedPostgres(data_home(DATA) / "portal", options={"max_connections": "200"}) as server:
        if NAME not in server.databases():
            server.create_database(NAME)
        yield server


@contextmanager
def demo_server() -> Iterator[str]:
    """Yield the DSN of the portal's database."""
    with demo_cluster() as server:
        yield server.dsn(NAME)
