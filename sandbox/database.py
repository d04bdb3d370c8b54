"""A whole Sampelit database on an embedded server. In: server, name, sizes, seed. Out: the database, or nothing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql

from providers.embedded_postgres.server import EmbeddedPostgres
from sandbox.roles import create_roles, grant_database
from sandbox.seed import UNTIL, seed_core
from sandbox.seed_product import seed_product

SQL = Path(__file__).parent / "sql"
SCHEMA = ("core", "audit", "product", "behaviour")


def create(
    server: EmbeddedPostgres,
    name: str,
    rows: int = 20_000,
    experiments: int = 12,
    seed: int = 1,
    until: datetime = UNTIL,
) -> None:
    """Make database `name` unless it exists. It gets its name last, so a half-made one is never mistaken for it."""
    create_roles(server)
    if name not in server.databases():
        _make(server, name, rows=rows, experiments=experiments, seed=seed, until=until)
    grant_database(server, name)


def _make(server: EmbeddedPostgres, name: str, *, rows: int, experiments: int, seed: int, until: datetime) -> None:
    making = f"{name}__making"
    server.drop_database(making)
    server.create_database(making, owner="sampelit_owner")
    with psycopg.connect(server.dsn(making)) as connection:
        connection.execute("SET LOCAL synchronous_commit = off")
        apply_schema(connection)
        users = seed_core(connection, rows=rows, experiments=experiments, seed=seed, until=until)
        seed_product(connection, users, rows=rows, seed=seed, until=until)
    with psycopg.connect(server.dsn(making), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        connection.execute(rename.format(sql.Identifier(making), sql.Identifier(name)))


def copy_of(server: EmbeddedPostgres, template: str, name: str) -> None:
    """A fresh copy of a database nobody is connected to, grants included."""
    server.create_database(name, template=template, owner="sampelit_owner")
    grant_database(server, name)


def apply_schema(connection: psycopg.Connection) -> None:
    """Platform objects as the superuser, everything of the product as its owner."""
    connection.execute((SQL / "platform.sql").read_text())
    connection.execute("SET LOCAL ROLE sampelit_owner")
    for part in SCHEMA:
        connection.execute((SQL / f"{part}.sql").read_text())
    connection.execute("RESET ROLE")
    connection.execute((SQL / "grants.sql").read_text())


def dsns(server: EmbeddedPostgres, name: str) -> dict[str, str]:
    """The connection strings of database `name` by purpose."""
    roles = ("export", "export_limited", "migration", "restore", "app")
    return {role: server.dsn(name, f"sampelit_{role}") for role in roles} | {"admin": server.dsn(name)}
