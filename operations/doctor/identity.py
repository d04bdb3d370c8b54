"""Whether each environment is a database of its own, and whether the one that answers is still the recorded one.

In: environments and open sessions. Out: Checks. Nothing is recorded here.
"""

from __future__ import annotations

from collections.abc import Iterator

from operations.databases import portal_identity, recorded
from operations.doctor import Check, register
from operations.models import Environment
from providers.postgres.connection import Connection
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
