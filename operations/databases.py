"""A database is who answers: the identity of each environment's, recorded once and compared by every session.

In: who answered behind a variable of an environment. Out: the row completed, a ledger entry, a message where two
environments turn out to be one database; or Refused before anything is read or written.
"""

from __future__ import annotations

from django.db import connection, transaction

from ledger.services import record
from operations.accounts import SYSTEM
from operations.authority import VOTE, holders
from operations.log_context import operation_id
from operations.models import Environment, Operation
from operations.navigation import page_of
from operations.notify.outbox import addresses, enqueue
from operations.votes.judge import counted
from providers.errors import Refused
from providers.postgres.identity import Identity, identity

NOTHING = "Nothing was read or changed."


def recorded(environment: Environment) -> Identity | None:
    """What is known of its database; None before the first connection."""
    if environment.database_oid is None:
        return None
    return Identity(environment.system_identifier, environment.database_oid, environment.database_name)


def portal_identity() -> Identity:
    """The portal's own database, asked on its own connection."""
    connection.ensure_connection()
    return identity(connection.connection)


def is_portal(environment: Environment) -> bool:
    """Whether this is the portal's own database, whatever the environment is called."""
    known = recorded(environment)
    return environment.kind == Environment.Kind.PORTAL or (known is not None and known.may_be(portal_identity()))


def meet(environment: Environment, purpose: str, address: str, found: Identity) -> None:
    """Compare who answered with who it must be, or record it the first time. Raises Refused."""
    known = recorded(environment)
    if environment.kind == Environment.Kind.PORTAL:
        _refuse_other(environment, purpose, found, portal_identity())
        return
    if known is None or not known.system_identifier:
        refuse_portal(environment, purpose, found)
    if known is None:
        known = _record(environment, purpose, found)
    _refuse_other(environment, purpose, found, known)
    if not known.system_identifier and found.system_identifier:
        _complete(environment, found)
    if address not in environment.addresses.get(purpose, []):
        _remember_address(environment, purpose, address)


def refuse_portal(environment: Environment, purpose: str, found: Identity) -> None:
    """Raises Refused where the portal's own database answers."""
    if found.may_be(portal_identity()):
        raise Refused(
            f"{environment.variable(purpose)} of {environment} leads to the portal's own database. {NOTHING} "
            "Set it to the product's database; the portal's own is exported as the environment of its kind."
        )


def _refuse_other(environment: Environment, purpose: str, found: Identity, known: Identity) -> None:
    """A name that changed counts as another one too: what was approved named it."""
    if known.system_identifier and not found.system_identifier:
        raise Refused(
            f"The role of {environment.variable(purpose)} may not read which server answers, so it cannot be told from "
            f"another one. {NOTHING} GRANT EXECUTE ON FUNCTION pg_control_system() to it."
        )
    if not (found.may_be(known) and found.database_name == known.database_name):
        raise Refused(
            f"{environment.variable(purpose)} leads to {found}, and {environment} is {known}. {NOTHING} Correct the "
            "variable; if the database moved, request environments.rebind."
        )


def _record(environment: Environment, purpose: str, found: Identity) -> Identity:
    """The first answer is the environment's database from now on; of two at once the first one is."""
    with transaction.atomic():
        first = _write(environment, found)
        if first:
            alike = [other.slug for other in Environment.objects.of_one_database(environment)]
            if alike:
                _tell(environment, found, alike)
            _enter(environment, "identified", purpose, database=str(found), alike=", ".join(alike))
    if not first:
        environment.refresh_from_db()
    running = Operation.objects.filter(pk=operation_id.get(), environment=environment).first()
    if running is not None:
        refuse_too_few_votes(running, environment)
    known = recorded(environment)
    return known or found


def _write(environment: Environment, found: Identity) -> bool:
    environment.system_identifier = found.system_identifier
    environment.database_oid, environment.database_name = found.database_oid, found.database_name
    unknown = Environment.objects.filter(pk=environment.pk, database_oid=None)
    return bool(
        unknown.update(
            system_identifier=found.system_identifier,
            database_oid=found.database_oid,
            database_name=found.database_name,
        )
    )


def _complete(environment: Environment, found: Identity) -> None:
    """A role that may read the server's identifier answered: from now on it must be this one."""
    Environment.objects.filter(pk=environment.pk, system_identifier="").update(
        system_identifier=found.system_identifier
    )
    environment.system_identifier = found.system_identifier


def _remember_address(environment: Environment, purpose: str, address: str) -> None:
    """One more way to the same database; requests that wait are bound to the ways known before."""
    with transaction.atomic():
        row = Environment.objects.select_for_update().filter(pk=environment.pk).first()
        if row is None:
            return
        ways = row.addresses.get(purpose, [])
        if address not in ways:
            row.addresses = {**row.addresses, purpose: sorted([*ways, address])}
            row.save(update_fields=["addresses"])
            if ways:
                _tell_reached(environment, purpose, address)
                _enter(environment, "reached", purpose, address=address)
        environment.addresses = row.addresses


def _enter(environment: Environment, verb: str, purpose: str, **data: str) -> None:
    record(
        f"operations.environment.{verb}",
        actor=SYSTEM,
        environment=environment.slug,
        subject=environment.slug,
        data={"variable": environment.variable(purpose), **data},
    )


def _tell(environment: Environment, found: Identity, alike: list[str]) -> None:
    """Every approver hears at once that a database has two names."""
    body = (
        f"{environment} and {', '.join(alike)} lead to one {found}. From now on each act on either needs the votes of "
        "the stricter one and waits for the freeze of both. If nobody meant that, correct the variables."
    )
    path = page_of(environment)
    subject = f"{environment} is the database of {alike[0]}"
    people = {address for row in environment.of_one_database() for address in addresses(holders(VOTE, row))}
    key = f"one-database:{environment.pk}:{found.database_oid}"
    enqueue(key, subject=subject, body=body, path=path, to=people)


def _tell_reached(environment: Environment, purpose: str, address: str) -> None:
    """Identity cannot tell a physical copy from its original: people can."""
    path = page_of(environment)
    subject = f"{environment} is reached at another address"
    variable, known = environment.variable(purpose), recorded(environment)
    body = f"{variable} leads to {address} now, where {known} answers. If that is a copy, correct the variable."
    people = addresses(holders(VOTE, environment))
    enqueue(f"reached:{environment.pk}:{purpose}:{address}"[:200], subject=subject, body=body, path=path, to=people)


def renew(environment: Environment) -> None:
    """An approved operation that runs brought another database: the next session records it."""
    Environment.objects.filter(pk=environment.pk).update(system_identifier="", database_oid=None, database_name="")
    environment.refresh_from_db()


def refuse_too_few_votes(running: Operation, environment: Environment) -> None:
    """Its votes were counted before it was known whose database this is: count again. Raises Refused."""
    if running.began_under_glass():
        return
    others = Environment.objects.of_one_database(environment)
    needed = max((other.own_votes(running.risk) for other in others), default=0)
    if needed > running.approvals_required and needed > len(counted(running, [environment])):
        alike = ", ".join(map(str, others))
        raise Refused(
            f"{environment} is the database of {alike} too, and there {running.risk} acts need {needed} votes. "
            f"{NOTHING} Request it again."
        )
