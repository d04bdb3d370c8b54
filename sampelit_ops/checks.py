"""Configuration mistakes that must stop the portal: the product's database as DATABASE_URL, a demo open to others.

In: settings and the portal's database. Out: messages for `check`, or SystemExit before anything is served.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, Warning
from django.db import DatabaseError, connections

from sampelit_ops.roles import ROLES

# Anybody can have a host below these (https://publicsuffix.org/list/, Render's entry).
SHARED_DOMAINS = ("onrender.com", "com", "net", "org", "dev", "app", "io")
PRODUCT_MARKS = """
    SELECT coalesce(string_agg(mark, ', '), '') FROM (
      SELECT 'table algorithm_audit_trail' AS mark FROM pg_catalog.pg_class WHERE relname = 'algorithm_audit_trail'
      UNION
      SELECT 'schema ' || nspname FROM pg_catalog.pg_namespace WHERE nspname IN ('auth', 'supabase_migrations')
    ) found
"""

DATA_DIRECTORY = "SELECT current_setting('data_directory')"


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


def demo_database_is_ours(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """ops.E008: the demo drops the duty of a second factor, so it serves no database but an embedded one of ours."""
    if not settings.DEMO or not databases or _embedded():
        return []
    hint = "Unset DEMO for a database of your own, or unset DATABASE_URL and use `make run`."
    return [Error("DEMO=1, and DATABASE_URL is not the demo's embedded server.", hint=hint, id="ops.E008")]


def _embedded() -> bool:
    """Whether the server keeps its rows in a directory that this machine's demo made (its password lies beside it)."""
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute(DATA_DIRECTORY)
            return (Path(cursor.fetchone()[0]).parent / "password").is_file()
    except (DatabaseError, OSError):
        return False


def switches_are_safe(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """ops.E005 and E007: nobody but this machine reaches a demo; the portal answers only to names of its own."""
    messages: list[CheckMessage] = []
    outside = [host for host in (*settings.ALLOWED_HOSTS, _base_host()) if not _loopback(host)]
    if settings.DEMO and (settings.RENDER or outside):
        where = "on Render" if settings.RENDER else f"as {outside[0]}"
        hint = "Unset DEMO: it drops second factors, secure cookies and the guard of private addresses."
        messages.append(Error(f"DEMO=1 where others reach it ({where}).", hint=hint, id="ops.E005"))
    if wide := [host for host in settings.ALLOWED_HOSTS if host.strip(".") in ("*", "", *SHARED_DOMAINS)]:
        hint = "Name the portal's own hosts, separated by commas."
        messages.append(Error(f"ALLOWED_HOSTS admits hosts of others: {wide[0]!r}.", hint=hint, id="ops.E007"))
    return messages


def _base_host() -> str:
    return urlsplit(settings.OPS_BASE_URL).hostname or ""


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def secret_key_is_strong(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """ops.E006: what signs sessions and links cannot be guessed (a `generateValue` of Render has 44 characters)."""
    key = str(settings.SHARED_KEY)
    if settings.DEMO or not key or (len(key) >= 32 and len(set(key)) >= 12 and "insecure" not in key):
        return []
    hint = "Set 50 random characters: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'."
    return [Error("SECRET_KEY can be guessed.", hint=hint, id="ops.E006")]


def sign_on_is_whole(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """ops.E009: a sign-in provider is set with everything it needs, and somebody gets in while it is away."""
    issuer, given = settings.OIDC_ISSUER, (settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET)
    known = {role.name for role in ROLES}
    roles = [text.rpartition("=")[2].partition("@")[0] for text in settings.OIDC_ROLES]
    faults = {
        "Only some of OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET are set": any(given) and not all(given),
        "OIDC_ISSUER is not https": bool(issuer) and not settings.DEMO and urlsplit(issuer).scheme != "https",
        "OIDC_ROLES gives no group a role": bool(issuer) and not roles,
        "OIDC_ROLES names a role that does not exist": not set(roles) <= known,
    }
    hint = "See .env.example: OIDC_ROLES=group=Role,group=Role@environment."
    return [Error(f"{fault}.", hint=hint, id="ops.E009") for fault, found in faults.items() if found]


def factors_are_for_somebody(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """ops.E010: who needs a second factor is one of two words."""
    if settings.OPS_FACTOR_FOR in ("everybody", "acting"):
        return []
    hint = "Set it to everybody, or to acting: then whoever only looks needs none."
    return [Error(f"OPS_FACTOR_FOR is {settings.OPS_FACTOR_FOR!r}.", hint=hint, id="ops.E010")]


def refuse_unsafe_start() -> None:
    """Raise SystemExit where a check of these would fail; called before anything is served."""
    before = [*switches_are_safe(None), *secret_key_is_strong(None), *portal_database_is_ours(None, ["default"])]
    for message in [*before, *demo_database_is_ours(None, ["default"])]:
        raise SystemExit(f"{message.id}: {message.msg} Nothing was started. {message.hint}")


def secrets_are_set(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """ops.E001: no default secret in production. ops.W003: exports would not be encrypted."""
    messages: list[CheckMessage] = []
    if not settings.SHARED_KEY:
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
    checks.register(demo_database_is_ours, Tags.database)
    for check in (switches_are_safe, secret_key_is_strong, sign_on_is_whole, factors_are_for_somebody, secrets_are_set):
        checks.register(check, Tags.security, deploy=True)
