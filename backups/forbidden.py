"""What `database:VARIABLE` may not reach: the portal's own database and the database of any environment.

In: the variable's name, or its DSN in the worker. Raises Refused; nothing is written. Live tables have a target of
their own, with its votes, maintenance and proof of the present.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from backups.models import Run
from backups.progress import Watch
from operations.dsns import known_dsn
from operations.models import Environment
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.postgres.connection import address

PURPOSES = ("export", "migration", "restore")
PORTAL = "DATABASE_URL"


def variables(environment: Environment) -> list[str]:
    return [environment.variable(purpose) for purpose in PURPOSES]


def refuse_variable(name: str) -> None:
    """A name that leads to the portal or to an environment is refused, whoever asks and wherever."""
    owner = next((one for one in Environment.objects.all() if name in variables(one)), None)
    if owner or name == PORTAL:
        raise Refused(
            f"{name} leads to {owner or 'the portal'} itself. Nothing was written. "
            "Use a database of its own, in a variable OPS_RESTORE_<NAME>_DSN of the prove worker."
        )


def refuse_database(dsn: str, watch: Watch) -> None:
    """The same by the server's identity and the database's name, whatever the address says."""
    with postgres.connect(dsn) as looking:
        target = postgres.facts(looking)
    for name, found in _taken(target, watch):
        if _same(target, found):
            raise Refused(
                f"{address(dsn)} is the database of {name}, or cannot be told apart from it. Nothing was written. "
                "Restore into a database of its own."
            )


def _taken(target: postgres.Facts, watch: Watch) -> Iterator[tuple[str, postgres.Facts]]:
    connection.ensure_connection()
    yield "the portal", postgres.facts(connection.connection)
    for environment in Environment.objects.all():
        found = [one for purpose in PURPOSES if (one := _look(environment, purpose, watch))]
        yield from ((environment.slug, one) for one in found)
        if not found and _known_server(environment, target.system_identifier):
            yield environment.slug, target


def _look(environment: Environment, purpose: str, watch: Watch) -> postgres.Facts | None:
    """The facts behind a variable of this worker; None where it is unset or does not answer."""
    watch.check()
    dsn = known_dsn(environment, purpose)
    if not dsn:
        return None
    try:
        with postgres.connect(dsn) as looking:
            return postgres.facts(looking)
    except ProviderError as error:
        watch.log(f"{environment.variable(purpose)} was not compared with the target: {error.message}")
        return None


def _known_server(environment: Environment, system_identifier: str) -> bool:
    """Whether a run of an environment that does not answer came from this very server."""
    runs = Run.objects.filter(policy__environment=environment)
    return bool(system_identifier) and runs.filter(system_identifier=system_identifier).exists()


def _same(one: postgres.Facts, other: postgres.Facts) -> bool:
    """An identifier that a role may not read proves no difference."""
    known = one.system_identifier and other.system_identifier
    return one.database == other.database and (not known or one.system_identifier == other.system_identifier)
