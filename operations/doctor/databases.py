"""Live checks of the product's databases, by environment and purpose, and of the backup store.

In: the variables that an environment names. Out: Checks for session mode, address family, TLS, role, row-level
security, timeouts and version. Reads only; the store probe writes one small object that stays.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from django.conf import settings
from psycopg import conninfo

from operations.doctor import Check, register
from operations.doctor.identity import answers
from operations.dsns import known_dsn
from operations.models import Environment
from operations.models.environment import PURPOSES
from providers import postgres
from providers.counting import counted
from providers.errors import ProviderError, Refused
from providers.http.deadline import resolve
from providers.postgres.connection import Connection
from providers.postgres.preflight import OLDEST_VERSION
from providers.storage import base as storage_base
from providers.storage import factory as storage_factory

_PROBE = b"Sampelit Ops wrote this once to see that the store keeps and protects what it is given.\n"


@register
def databases(environment: Environment | None) -> Iterator[Check]:
    """Every database that a variable of this process leads to; all facts of one environment, else one line each."""
    if environment:
        for purpose in PURPOSES:
            yield from database(environment, purpose)
        return
    for known in Environment.objects.exclude(kind=Environment.Kind.PREVIEW):
        for purpose in PURPOSES if known.kind != Environment.Kind.PORTAL else ("export",):
            yield from _summed_up(f"{known} {purpose}", list(database(known, purpose)))


def _summed_up(name: str, checks: list[Check]) -> list[Check]:
    """What is amber or red, or one green line with the facts."""
    wrong = [check for check in checks if check.tone in ("bad", "warn")]
    if wrong or len(checks) == 1:
        return wrong or checks
    facts = ", ".join(check.found for check in checks if check.name.endswith(("version", "role", "address", "port")))
    return [Check(f"{name} database", "ok", facts, "The product's database; the portal only reaches it through here.")]


@register
def store(environment: Environment | None) -> Iterator[Check]:
    """Writes, reads back and refuses to overwrite."""
    why = "Backups are only safe in a store that keeps what it was given."
    try:
        opened = storage_factory.open_store(settings.BACKUP_STORE)
        opened.put_once("doctor/probe", _PROBE)
        if opened.get("doctor/probe") != _PROBE:
            raise ProviderError("The probe reads back differently.")
    except (ProviderError, Refused) as error:
        fix = "Check BACKUP_STORE and AWS_*: the key needs put and get on the prefix."
        yield Check("store", "bad", str(error), why, fix)
        return
    yield Check("store", "ok", "writes and reads back", why)
    try:
        opened.put_once("doctor/probe", _PROBE[::-1])
    except storage_base.AlreadyStored:
        yield Check("store overwrite", "ok", "refused", why)
    else:
        yield Check("store overwrite", "bad", "the store replaced an object", why, "Use a store with If-None-Match.")


def database(environment: Environment, purpose: str) -> Iterator[Check]:
    """The checks of one DSN; where its variable is not set here, that is all there is to say."""
    variable, name = environment.variable(purpose), f"{environment} {purpose}"
    dsn = known_dsn(environment, purpose)
    if not dsn:
        missing = f"{variable} is not set in this process"
        yield Check(f"{name} database", "idle", missing, "", "Connect a database shows what to set.")
        return
    yield from _address(name, dsn)
    try:
        with postgres.connect(dsn) as connection:
            own = environment.kind == Environment.Kind.PORTAL  # its owner reads it, there is no other role
            yield from _session(name, "" if own else purpose, connection)
            yield from answers(name, environment, connection)
    except ProviderError as error:
        yield Check(f"{name} connection", "bad", str(error), "Nothing can be done without it.", f"Correct {variable}.")


def _address(name: str, dsn: str) -> Iterator[Check]:
    try:
        parts = conninfo.conninfo_to_dict(dsn)
    except psycopg.Error:
        yield Check(f"{name} DSN", "bad", "cannot be read", "", "Write it as postgresql://user:password@host:5432/db.")
        return
    host, port = str(parts.get("host", "localhost")), str(parts.get("port", "5432"))
    why = "Snapshots, locks and settings need one backend for the whole session."
    fix = "Use the session pooler or the direct host, port 5432."
    yield Check(f"{name} port", "bad" if port == "6543" else "ok", port, why, fix if port == "6543" else "")
    families = _families(host)
    only_six = families == {"IPv6"}
    why = "Supabase's direct host has only IPv6, which Render's network does not reach."
    fix = "Use the session pooler's host (aws-0-…pooler.supabase.com:5432)." if only_six else ""
    yield Check(f"{name} address", "warn" if only_six else "ok", " and ".join(sorted(families)) or "local", why, fix)
    mode = str(parts.get("sslmode", "prefer"))
    strict = mode == "verify-full" or _is_local(host)
    fix = "" if strict else "Add sslmode=verify-full and sslrootcert with Supabase's certificate."
    why = "Only verify-full proves that the answer comes from the real database."
    yield Check(f"{name} sslmode", "ok" if strict else "warn", mode, why, fix)


def _session(name: str, purpose: str, connection: Connection) -> Iterator[Check]:
    facts = postgres.facts(connection)
    for problem in postgres.problems(facts):
        yield Check(f"{name} session", "bad", problem, "A trustworthy copy needs it.", problem)
    yield Check(
        f"{name} version", "ok" if facts.version >= OLDEST_VERSION else "bad", f"PostgreSQL {facts.server_version}"
    )
    secure = connection.pgconn.ssl_in_use or _is_local(connection.info.host)
    yield Check(f"{name} TLS", "ok" if secure else "bad", "in use" if connection.pgconn.ssl_in_use else "not in use")
    row = connection.execute(postgres.statements("role")).fetchone()
    assert row is not None  # noqa: S101 - one SELECT without FROM always answers one row
    role, superuser, creates, bypasses, writable, hidden, idle_timeout = row
    if purpose == "export":
        yield from _export_role(name, role, superuser or creates, bypasses, writable, hidden)
    yield Check(f"{name} idle timeout", "ok", idle_timeout, "The portal sets its own for each session.")


def _export_role(name: str, role: str, mighty: bool, bypasses: bool, writable: int, hidden: int) -> Iterator[Check]:
    why = "The role that copies must not be able to change anything."
    fix = "Use the role that Connect a database prints."
    strong = mighty or writable > 0
    rights = f"{role} is mighty" if mighty else f"{role} may write {counted(writable, 'table')}"
    yield Check(f"{name} role", "warn" if strong else "ok", rights, why, fix if strong else "")
    blind = hidden > 0 and not bypasses
    visible = f"hides rows of {counted(hidden, 'table')} from {role}" if blind else "hides nothing from the role"
    why = "Row-level security would leave rows out of the backup without an error."
    yield Check(
        f"{name} row-level security", "bad" if blind else "ok", visible, why, "Give it BYPASSRLS." if blind else ""
    )


def _families(host: str) -> set[str]:
    try:
        addresses = resolve(host, 5432)
    except (OSError, UnicodeError):
        return set()
    return {"IPv6" if ":" in address else "IPv4" for address in addresses}


def _is_local(host: str) -> bool:
    return host in ("", "localhost", "127.0.0.1", "::1") or host.startswith("/")
