"""Whether each environment is a database of its own, and whether the one that answers is still the recorded one.

In: environments and open sessions. Out: Checks. Nothing is recorded here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from operations.databases import portal_identity, recorded
from operations.doctor import Check, register
from operations.dsns import LOOK_SECONDS, known_dsn
from operations.models import Environment
from operations.models.environment import PURPOSES
from providers.errors import ProviderError
from providers.postgres.connection import Connection, address, connect
from providers.postgres.identity import identity

WHY = "What is approved for one database must never run in another."


@register
def identities(environment: Environment | None) -> Iterator[Check]:
    """Two environments of one database are red: somebody named it twice."""
    for known in [environment] if environment else Environment.objects.exclude(database_oid=None):
        alike = ", ".join(map(str, Environment.objects.of_one_database(known)))
        if alike:
            found = f"{known} and {alike} are {recorded(known)}"
            fix = "Correct the variables of the one that is wrong, then request environments.rebind for it."
            yield Check(f"{known} is one database with {alike}", "bad", found, WHY, fix)


@register
def copies(environment: Environment | None) -> Iterator[Check]:
    """One database answers at all its addresses: a physical copy has its original's identity, and another start."""
    for known in [environment] if environment else Environment.objects.exclude(database_oid=None):
        started = _started(known)
        if len(set(started.values())) > 1:
            found = f"{', '.join(sorted(started))}: two running servers that are {recorded(known)}"
            fix = "One is a physical copy. Correct the variables so that each environment leads to one server only."
            yield Check(f"{known} has the same identity at another address", "bad", found, WHY, fix)


def _started(known: Environment) -> dict[str, datetime]:
    """By address when the server there started, for whatever leads to this database from this process."""
    dsns = {known_dsn(place, purpose) for place in known.of_one_database() for purpose in PURPOSES}
    reached = {address(dsn): dsn for dsn in dsns if dsn}
    started = {}
    for where, dsn in reached.items() if len(reached) > 1 else ():
        with suppress(ProviderError), connect(dsn, timeout=LOOK_SECONDS) as connection:
            row = connection.execute("SELECT pg_catalog.pg_postmaster_start_time()").fetchone()
            database = recorded(known)
            if row and database and identity(connection).may_be(database):
                started[where] = row[0]
    return started


@register
def environment_rows(environment: Environment | None) -> Iterator[Check]:
    """What an environment asks for is what this portal wrote; one that SQL changed asks for as much as any."""
    known = [environment] if environment else list(Environment.objects.all())
    altered = ", ".join(str(row) for row in known if row.was_altered)
    why = "Votes, protection and variables of an environment decide who must agree to what."
    fix = "Ask who wrote SQL; then request environments.change for it, whose votes confirm all that its row says now."
    found = f"written past the portal: {altered}" if altered else f"{len(known)} as the portal wrote them"
    yield Check("rows of environments", "bad" if altered else "ok", found, why, fix if altered else "")


def answers(name: str, environment: Environment, connection: Connection) -> Iterator[Check]:
    """Who answers in this session, beside who it must be."""
    found, known = identity(connection), recorded(environment)
    portal = found.may_be(portal_identity())
    if portal != (environment.kind == Environment.Kind.PORTAL):
        said = "the portal's own database answers" if portal else f"{found} answers, not the portal's own database"
        yield Check(f"{name} identity", "bad", said, WHY, "Correct the variable.")
    elif not found.system_identifier:
        fix = "GRANT EXECUTE ON FUNCTION pg_control_system() to its role."
        yield Check(f"{name} identity", "warn", "the role may not read which server answers", WHY, fix)
    elif known is not None and (not found.may_be(known) or found.database_name != known.database_name):
        fix = "Correct the variable; if the database moved, request environments.rebind."
        yield Check(f"{name} identity", "bad", f"{found} answers; {environment} is {known}", WHY, fix)
    else:
        yield Check(f"{name} identity", "ok", str(found) + ("" if known else ", not recorded yet"), WHY)
