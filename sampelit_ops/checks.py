"""Configuration mistakes that must stop the portal; above all the product's database as DATABASE_URL (ops.E002)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, Warning
from django.db import DatabaseError, connections

PRODUCT_MARKS = """
    SELECT coalesce(string_agg(mark, ', '), '') FROM (
      SELECT 'table algorithm_audit_trail' AS mark FROM pg_catalog.pg_class WHERE relname = 'algorithm_audit_trail'
      UNION
      SELECT 'schema ' || nspname FROM pg_catalog.pg_namespace WHERE nspname IN ('auth', 'supabase_migrations')
    ) found
"""


def product_marks(alias: str = "default") -> str:
    """What shows that this database is the product's, or nothing. Raises DatabaseError when it cannot be asked."""
    with connections[alias].cursor() as cursor:
        cursor.execute(PRODUCT_MARKS)
        return str(cursor.fetchone()[0])


def portal_database_is_ours(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """ops.E002, run by `migrate`, at the start of the web server and of every worker."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        try:
            marks = product_marks(alias)
        except DatabaseError:
            continue
        if marks:
            messages.append(
                Error(
                    f"DATABASE_URL leads to the product's database: it holds {marks}. Nothing was written there.",
                    hint="Give the portal a Postgres of its own. The product's DSNs are "
                    "SAMPELIT_<ENVIRONMENT>_EXPORT_DSN, _MIGRATION_DSN and _RESTORE_DSN.",
                    id="ops.E002",
                )
            )
    return messages


def refuse_product_database() -> None:
    """Raise SystemExit where `check --database default` would fail; called before anything is served."""
    for message in portal_database_is_ours(None, ["default"]):
        raise SystemExit(f"{message.id}: {message.msg} {message.hint}")


def secrets_are_set(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """ops.E001: no default secret in production. ops.W003: exports would not be encrypted."""
    messages: list[CheckMessage] = []
    if not settings.SECRET_KEY:
        messages.append(Error("SECRET_KEY is not set.", hint="Set it to 50 random characters.", id="ops.E001"))
    if settings.Q_CLUSTER["retry"] <= 3 * settings.Q_CLUSTER["timeout"]:
        messages.append(
            Error("Q_CLUSTER: retry must be above three times timeout.", hint="See docs/operations.md.", id="ops.E004")
        )
    if not settings.DEMO and settings.OPS_QUEUES["urgent"] in (settings.OPS_QUEUES["export"], settings.OPS_PROVE_QUEUE):
        messages.append(Warning("The urgent pool shares a queue.", hint="Give it its own.", id="ops.W005"))
    return messages


def register() -> None:
    checks.register(portal_database_is_ours, Tags.database)
    checks.register(secrets_are_set, Tags.security, deploy=True)
