"""Real backups of one database: `dump` to a file, `put_back` in place. In place means downtime, as at Supabase."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from providers.embedded_postgres.server import EmbeddedPostgres, bin_dir
from providers.processes import spawn
from sandbox.roles import ROWS, grant_database

# Checks, domains and generated columns of the product run while its rows come in: not as the superuser.
SECTIONS = {"pre-data": "postgres", "data": ROWS, "post-data": "postgres"}


def dump(server: EmbeddedPostgres, name: str, path: Path) -> None:
    """pg_dump of database `name` into `path`, which appears only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    _tool(server, "pg_dump", "--format=custom", "--compress=1", f"--file={partial}", f"--dbname={name}")
    partial.replace(path)


def put_back(
    server: EmbeddedPostgres, name: str, path: Path, adjust: Callable[[psycopg.Connection], None] | None = None
) -> None:
    """Replace database `name` by the dump; nobody can connect meanwhile, and a failure leaves the old one as it was."""
    fresh, old = f"{name}__restored", f"{name}__replaced"
    _admit(server, name, False)
    try:
        server.drop_database(fresh)
        server.drop_database(old)
        server.create_database(fresh, template="template0", owner="sampelit_owner")
        for section, role in SECTIONS.items():
            options = ["--exit-on-error", "--jobs=2", f"--section={section}", f"--dbname={fresh}", str(path)]
            _tool(server, "pg_restore", *options, role=role)
        if adjust:
            with psycopg.connect(server.dsn(fresh)) as connection:
                adjust(connection)
        with psycopg.connect(server.dsn()) as connection:
            _rename(connection, name, old)
            _rename(connection, fresh, name)
    except BaseException:
        _admit(server, name, True)
        raise
    grant_database(server, name)
    server.drop_database(old)


def close(server: EmbeddedPostgres, name: str) -> None:
    _admit(server, name, False)


def reopen(server: EmbeddedPostgres, name: str) -> None:
    _admit(server, name, True)


def _admit(server: EmbeddedPostgres, name: str, allowed: bool) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        flag = sql.SQL("true" if allowed else "false")
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(sql.Identifier(name), flag))
        if not allowed:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])


def _rename(connection: psycopg.Connection, source: str, target: str) -> None:
    connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [source])
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    connection.execute(rename.format(sql.Identifier(source), sql.Identifier(target)))


def _tool(server: EmbeddedPostgres, program: str, *arguments: str, role: str = "postgres") -> None:
    env = {"PGPASSWORD": server.password, "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": role}
    done = spawn([bin_dir() / program, *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output, _ = done.communicate()
    if done.returncode:
        raise RuntimeError(f"{program}: {output.decode(errors='replace')[-400:]}")
