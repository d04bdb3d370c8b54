"""The DSN of an environment: the one place that reads the variables which hold connection strings.

In: an environment and what is wanted of it. Out: a DSN of this process whose every session is compared with the
environment's database before anybody gets it, or Refused naming the variable, what was not done and what to do.
`known_dsn` is for those who only want to know whether it is there, and who answers.
"""

from __future__ import annotations

import os
from functools import partial

from operations.databases import meet, refuse_portal
from operations.models import Environment
from providers.errors import ProviderError, Refused
from providers.postgres.connection import address, connect
from providers.postgres.identity import Identity, MetDsn, identity

LOOK_SECONDS = 3


def known_dsn(environment: Environment, purpose: str) -> str:
    """The DSN for `export`, `migration` or `restore`; empty where its variable is not set in this process."""
    return os.environ.get(environment.variable(purpose), "")


def dsn_from(variable: str, role: str, undone: str) -> str:
    """The DSN in a variable. Raises Refused, saying that nothing was `undone` (read, written, changed)."""
    dsn = os.environ.get(variable, "")
    if not dsn:
        raise Refused(
            f"{variable} is not set in this process. Nothing was {undone}. "
            f"Set it to the DSN of {role}, then ask for it again."
        )
    return dsn


def met_dsn(environment: Environment, purpose: str, dsn: str) -> MetDsn:
    """A DSN whose every session is compared with this environment's database before anybody gets it."""
    return MetDsn(dsn, partial(meet, environment, purpose, address(dsn)))


def _wanted(environment: Environment, purpose: str, role: str, undone: str) -> MetDsn:
    return met_dsn(
        environment, purpose, dsn_from(environment.variable(purpose), f"{environment}'s {role} role", undone)
    )


def export_dsn(environment: Environment) -> MetDsn:
    """The read-only role's DSN. Raises Refused."""
    return _wanted(environment, "export", "read-only", "read")


def migration_dsn(environment: Environment) -> MetDsn:
    """The DSN of the role that changes the schema. Raises Refused."""
    _refuse_portal(environment, "changed")
    return _wanted(environment, "migration", "migration", "changed")


def restore_dsn(environment: Environment) -> MetDsn:
    """The DSN of the role that writes rows back. Raises Refused."""
    _refuse_portal(environment, "written")
    return _wanted(environment, "restore", "restore", "written")


def server_dsn(environment: Environment) -> MetDsn:
    """The restore role's DSN for a database of its own on that server, whichever server that is. Raises Refused."""
    dsn = restore_dsn(environment)
    return MetDsn(dsn, partial(refuse_portal, environment, "restore"))


def _refuse_portal(environment: Environment, undone: str) -> None:
    if environment.kind == Environment.Kind.PORTAL:
        raise Refused(
            f"{environment} is the portal's own database, which is only exported. Nothing was {undone}. "
            "`sampelit-ops recover` brings it back, into an empty one."
        )


def reading_dsn(environment: Environment) -> MetDsn:
    """Whichever role this process has to look at the schema with: migration first, else read-only. Raises Refused."""
    purpose = "migration" if known_dsn(environment, "migration") else "export"
    dsn = known_dsn(environment, purpose)
    if not dsn:
        raise Refused(
            f"Neither {environment.variable('migration')} nor {environment.variable('export')} is set in this process. "
            f"Nothing was read. Set one to the DSN of {environment}'s role, then ask for it again."
        )
    return met_dsn(environment, purpose, dsn)


def environment_named(slug: str, nothing: str = "nothing was read") -> Environment:
    """Raises Refused for a name nobody knows."""
    environment = Environment.objects.filter(slug=slug).first()
    if environment is None:
        known = ", ".join(Environment.objects.values_list("slug", flat=True)) or "none yet"
        raise Refused(f"There is no environment {slug!r}; {nothing}. Known: {known}.")
    return environment


def who_answers(environment: Environment, purpose: str) -> Identity | None:
    """The database behind a variable as this process reaches it now, recorded or not; None where nobody answers."""
    dsn = known_dsn(environment, purpose)
    if not dsn:
        return None
    try:
        with connect(dsn, timeout=LOOK_SECONDS) as connection:
            return identity(connection)
    except ProviderError:
        return None
