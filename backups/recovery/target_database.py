"""The place of a recovery: a database without content, or one in which a recovery of ours was interrupted.

In: the portal's own database. Out: refusals, an emptied database, the mark that is there until a recovery is complete.
"""

from __future__ import annotations

from django.apps import apps
from django.db import connection
from psycopg import sql

from operations.models import Environment
from providers import postgres
from providers.errors import Refused

OWN_FUNCTIONS = """
    SELECT oid::regprocedure::text FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""
MARK = "sampelit_ops_recovery"  # a table that is there only while a recovery is not complete
FILLED = ("auth_user", "ledger_entry", "operations_environment", "operations_operation", "backups_run")


def begun() -> str:
    """The copy that a recovery which was interrupted had brought back; empty where there was none."""
    tables = set(connection.introspection.table_names())
    if MARK not in tables:
        return ""
    with connection.cursor() as cursor:
        if "operations_environment" in tables and Environment.objects.exists():
            cursor.execute(sql.SQL("SELECT run FROM {}").format(sql.Identifier(MARK)))
            return str(cursor.fetchone()[0])
        cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(MARK)))
    return ""


def refuse_filled() -> None:
    """Only a database without content, and without anybody else's tables, may be written to."""
    tables = set(connection.introspection.table_names())
    ours = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} | {"django_migrations"}
    others = sorted(tables - ours) + _elsewhere()
    if others:
        raise Refused(f"DATABASE_URL holds tables of somebody else ({', '.join(others[:5])}). Nothing was changed.")
    with connection.cursor() as cursor:
        for table in sorted(tables & set(FILLED)):
            cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(table)))
            if cursor.fetchone()[0]:
                raise Refused(
                    f"The portal's database is not empty ({table} has rows). Nothing was changed. "
                    "Stop the portal's services and give it a new, empty database."
                )


def _elsewhere() -> list[str]:
    """Tables outside our schema: this is then a database that somebody else uses, whatever its public schema holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname NOT IN"
            " ('pg_catalog', 'information_schema', 'public') ORDER BY 1 LIMIT 5"
        )
        return [str(name) for (name,) in cursor.fetchall()]


def drop(dsn: str, run: str) -> None:
    """The tables that `migrate` made, and their functions: the copy brings its own, of its own version."""
    with postgres.connect(dsn, read_only=False) as work, work.transaction():
        tables = work.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (name,) in tables:
            work.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(sql.Identifier("public", name)))
        for (signature,) in work.execute(OWN_FUNCTIONS).fetchall():
            work.execute(sql.SQL("DROP FUNCTION IF EXISTS {} CASCADE").format(sql.SQL(signature)))
        work.execute(
            sql.SQL("CREATE TABLE {} AS SELECT {} AS run").format(sql.Identifier("public", MARK), sql.Literal(run))
        )


def end() -> None:
    """The recovery is complete."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(MARK)))
