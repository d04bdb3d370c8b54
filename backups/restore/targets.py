"""Where a restore may go, as one word: scratch, compare, live, schema:NAME, database:OPS_RESTORE_…_DSN. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from backups.models import Run
from backups.progress import Watch
from operations.dsns import known_dsn
from operations.models import Environment
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.postgres.connection import address

_SCHEMA = re.compile(r"^[a-z_][a-z0-9_]{0,62}$")
_VARIABLE = re.compile(r"^OPS_RESTORE_[A-Z0-9_]{1,80}_DSN$")


@dataclass(frozen=True)
class Place:
    """`name` is the variable with the DSN, or the new schema's name; empty for the others."""

    kind: str
    name: str = ""


def parse(text: str) -> Place:
    """Raises ValueError with the accepted forms."""
    kind, _, name = text.strip().partition(":")
    if kind in ("scratch", "compare", "live") and not name:
        return Place(kind)
    if kind == "database" and _VARIABLE.fullmatch(name):
        return Place(kind, name)
    if kind == "schema" and _SCHEMA.fullmatch(name) and not name.startswith("pg_"):
        return Place(kind, name)
    raise ValueError(
        "target is scratch, compare, live, schema:NAME (a new schema beside the live tables) or "
        "database:OPS_RESTORE_<NAME>_DSN (a variable of the prove worker that holds the DSN; no other is allowed)"
    )


def where(text: str) -> str:
    """A target in words, after "the run"."""
    kind, _, name = text.partition(":")
    sentences = {
        "scratch": "into a new database",
        "compare": "compared with the live tables",
        "live": "onto the live tables",
        "schema": f"into the new schema {name}",
        "database": f"into the database of {name}",
    }
    return sentences.get(kind, f"into {text}")


PURPOSES = ("export", "migration", "restore")
PORTAL = "DATABASE_URL"


def variables(environment: Environment) -> list[str]:
    return [environment.variable(purpose) for purpose in PURPOSES]


def refuse_variable(name: str) -> None:
    """A name that leads to the portal or to an environment is refused, whoever asks and wherever."""
    owner = next((environment for environment in Environment.objects.all() if name in variables(environment)), None)
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
        known = [facts for purpose in PURPOSES if (facts := _look(environment, purpose, watch))]
        yield from ((environment.slug, facts) for facts in known)
        if not known and _known_server(environment, target.system_identifier):
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


def _same(facts: postgres.Facts, other: postgres.Facts) -> bool:
    """An identifier that a role may not read proves no difference."""
    known = facts.system_identifier and other.system_identifier
    return facts.database == other.database and (not known or facts.system_identifier == other.system_identifier)
