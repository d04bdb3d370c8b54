"""The bench's database: the sandbox's audit trail at the wanted size, on an embedded server that is kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from providers import postgres
from providers.embedded_postgres.server import EmbeddedPostgres, data_home
from sandbox import database

OPTIONS = {"fsync": "off", "shared_buffers": "1GB", "max_wal_size": "4GB", "autovacuum": "off"}
TABLE = "algorithm_audit_trail"


@contextmanager
def bench_database(home: Path, rows: int) -> Iterator[tuple[EmbeddedPostgres, dict[str, str]]]:
    """Start the server, make the database if it is not there, and read the table once so that it is cached."""
    with EmbeddedPostgres(data_home(home) / "bench-postgres", options=OPTIONS) as server:
        name = f"bench_{rows}"
        database.create(server, name, rows=rows, experiments=40)
        dsns = database.dsns(server, name)
        with postgres.connect(dsns["admin"], read_only=False) as connection:
            postgres.chain_heads(connection, ("public", TABLE))
        yield server, dsns


def peer_environment(dsn: str) -> dict[str, str]:
    """libpq variables for psql and pg_dump, so that no password is in argv."""
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(dsn)
    names = {"PGHOST": "host", "PGPORT": "port", "PGDATABASE": "dbname", "PGUSER": "user", "PGPASSWORD": "password"}
    return {**os.environ, **{variable: str(parts[key]) for variable, key in names.items()}}
