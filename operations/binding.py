"""Which database a request means: what it is bound to when asked, and whether that still holds when it is claimed.

In: an environment and what a kind connects. Out: plain values for the digest, or Refused with what differs.
What was unknown when asked is compared by the first session that connects, which also records it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from operations.databases import recorded
from operations.dsns import LOOK_SECONDS, known_dsn, met_dsn
from operations.models import Environment, Operation
from operations.models.environment import PURPOSES
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.postgres.connection import address

logger = logging.getLogger("operations.binding")
PROJECT = "project"
Bound = dict[str, Any]


def bound_to(environment: Environment, connects: Sequence[str]) -> Bound:
    """What is known of where it leads. A portal that knew nothing and named nothing binds nothing."""
    purposes = [purpose for purpose in PURPOSES if purpose in connects]
    identity = recorded(environment) if purposes else None
    typed = {purpose: environment.variable(purpose) for purpose in purposes if environment.names(purpose)}
    ways = {purpose: _ways(environment, purpose) for purpose in purposes}
    values = {
        "database": [*identity.key, identity.database_name] if identity else None,
        "variables": typed,
        "addresses": {purpose: known for purpose, known in ways.items() if known},
        "project": environment.supabase_ref if PROJECT in connects else "",
    }
    return {name: value for name, value in values.items() if value}


def _ways(environment: Environment, purpose: str) -> list[str]:
    """Where its variable led in any process so far, and where it leads in this one."""
    here = known_dsn(environment, purpose)
    return sorted({*environment.addresses.get(purpose, []), *([address(here)] if here else [])})


def refuse_rebound(operation: Operation, connects: Sequence[str]) -> None:
    """At the claim: it must still lead where it led when it was asked, and who answers must be who it is."""
    environment = operation.environment
    for purpose in PURPOSES:
        if purpose in connects:
            _look(environment, purpose)
    if operation.bound is None:
        return
    now = bound_to(environment, connects)
    for name, words in (("variables", "Its variables were"), ("project", "Its Supabase project was")):
        if (then := operation.bound.get(name)) != now.get(name):
            raise Refused(_changed(f"{words} {_said(then)} when asked and are {_said(now.get(name))} now."))
    then = operation.bound.get("database")
    if then is not None and then != now.get("database"):
        raise Refused(_changed(f"{environment} was {_said(then)} when asked and is {_said(now.get('database'))} now."))
    for purpose, ways in operation.bound.get("addresses", {}).items():
        here = known_dsn(environment, purpose)
        if here and address(here) not in ways:
            raise Refused(
                _changed(f"{environment.variable(purpose)} led to {_said(ways)} when asked, to {address(here)} now.")
            )


def identify(environment: Environment, connects: Sequence[str]) -> None:
    """Before votes are counted: whose database is it? Silent where this process cannot ask; raises Refused."""
    for purpose in PURPOSES:
        if purpose in connects and not environment.identified:
            _look(environment, purpose)


def refuse_frozen(environment: Environment) -> None:
    """Raises Refused while a freeze of its database holds, whoever's it is."""
    frozen = environment.frozen_by()
    if frozen is None:
        return
    which = environment if frozen.pk == environment.pk else f"{frozen}, which is the database of {environment} too,"
    raise Refused(
        f"{which} is frozen until {frozen.frozen_until:%Y-%m-%d %H:%M} UTC: "
        f"{frozen.freeze_reason or 'no reason given'}. Nothing was requested; ask again after that."
    )


def _look(environment: Environment, purpose: str) -> None:
    """Meet who answers here; a database that does not answer is met by the session that needs it."""
    dsn = known_dsn(environment, purpose)
    if not dsn:
        return
    try:
        postgres.connect(met_dsn(environment, purpose, dsn), timeout=LOOK_SECONDS).close()
    except ProviderError as error:
        logger.info("%s was not met before the first step: %s", environment.variable(purpose), error)


def _changed(what: str) -> str:
    return f"{what} Nothing was run. Request it again."


def _said(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(map(str, value.values()))
    return " / ".join(map(str, value)) if isinstance(value, list) else str(value or "nothing")
