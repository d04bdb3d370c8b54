"""The role that the portal runs as: it reads and writes rows, and owns nothing, so it cannot take a trigger away.

In: a connection of the tables' owner (MIGRATION_DATABASE_URL). Out: exactly these grants, however often; `owner_gaps`
says what a role could do beyond them.
"""

from __future__ import annotations

from django.apps import apps
from django.db import connection
from psycopg import sql

from providers.errors import Refused

ROWS = "SELECT, INSERT, UPDATE, DELETE"
# What only grows, or is only told: less than all rows.
LESS = {
    "django_migrations": "SELECT",
    "ledger_checkpoint": "SELECT, INSERT",
    "ledger_entry": "SELECT, INSERT",
    "ledger_head": "SELECT, INSERT, UPDATE (sequence, sha256)",
    "ledger_stream": "SELECT, INSERT, UPDATE",
    "operations_approval": "SELECT, INSERT, UPDATE",
    "operations_machineaccount": "SELECT, INSERT",
    "operations_operation": "SELECT, INSERT, UPDATE",
}
KEPT = ("ledger_entry", "ledger_head", "ledger_checkpoint")
_TABLES = """
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
"""
_GAPS = """
SELECT c.relname, pg_has_role(current_user, c.relowner, 'MEMBER'),
       has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER') AND c.relname <> 'ledger_head'
       OR has_table_privilege(c.oid, 'DELETE, TRUNCATE, TRIGGER')
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%s)
"""


def grant(role: str, password: str) -> None:
    """Make the role if there is none (with this password) and give it what it needs. Raises Refused for an owner."""
    with connection.cursor() as cursor:
        if not password and not _exists(role):
            raise Refused(f"There is no role {role} yet. Nothing was changed; give its password in DATABASE_URL.")
        if not _exists(role):
            made = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {}")
            cursor.execute(made.format(sql.Identifier(role), sql.Literal(password)))
        _refuse_owner(role)
        for statement in _statements(role):
            cursor.execute(statement)


def _exists(role: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", [role])
        return bool(cursor.fetchone()[0])


def _refuse_owner(role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper OR pg_has_role(rolname, current_user, 'MEMBER') FROM pg_roles WHERE rolname = %s", [role]
        )
        if cursor.fetchone()[0]:
            raise Refused(
                f"{role} is the owner, may become it, or is a superuser. Nothing was granted; DATABASE_URL must name "
                "another role than MIGRATION_DATABASE_URL."
            )


def _statements(role: str) -> list[sql.Composed]:
    name, database = sql.Identifier(role), sql.Identifier(connection.settings_dict["NAME"])
    given = [
        sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(name),
        sql.SQL("REVOKE CREATE ON SCHEMA public FROM {}, PUBLIC").format(name),
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, name),
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name),
        sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(name),
    ]
    for table in _tables():
        rights = sql.SQL(LESS.get(table, ROWS))
        given.append(sql.SQL("GRANT {} ON {} TO {}").format(rights, sql.Identifier("public", table), name))
    return given


def _tables() -> list[str]:
    """The portal's own tables alone: whatever else lies in the schema is nobody's business here."""
    ours = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} | {"django_migrations"}
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return sorted(ours & {row[0] for row in cursor.fetchall()})


def owner_gaps() -> list[str]:
    """What the role of this connection could do to the ledger's past, a few words each; empty is as it should be."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        role, superuser = cursor.fetchone()
        cursor.execute(_GAPS, [list(KEPT)])
        rows = cursor.fetchall()
    owned = sorted(table for table, owner, _ in rows if owner)
    changed = sorted(table for table, owner, writes in rows if writes and not owner)
    gaps = [f"{role} is a superuser"] if superuser else []
    gaps += [f"{role} owns {', '.join(owned)}"] if owned else []
    return gaps + ([f"{role} may change {', '.join(changed)}"] if changed else [])
