"""What around the target would make an application fail or hurt: late sessions, leftovers of others, a full disk.

In: a review, a session. Out: nothing or Refused with what to do; nothing is changed by any of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from migrations_registry.analysis.cost import rewritten_bytes
from migrations_registry.analysis.model import OPAQUE
from migrations_registry.analysis.parsing.parser import Raw, parse
from migrations_registry.effects.unseen import refused_role
from migrations_registry.models import Application
from migrations_registry.observing import expected
from migrations_registry.services.planning import Review
from operations.dsns import migration_dsn
from operations.models import Environment
from operations.supabase_projects import configured, quick
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.postgres.connection import Connection
from providers.postgres.migrate.interrupted_ddl import indexes
from providers.postgres.migrate.session import late_sessions
from providers.postgres.migrate.target_behaviour import unseen_powers

LATE_SECONDS = 60
COPIES = 2
MB = 2**20


@contextmanager
def session(environment: Environment) -> Iterator[Connection]:
    """A reading session of the role that will write. Raises ProviderError."""
    with postgres.connect(migration_dsn(environment)) as connection:
        with postgres.explained("Looking at the target, which was not changed,"):
            yield connection


def nobody_is_late(connection: Connection, review: Review) -> None:
    """A statement that runs alone waits for every older transaction of the database, whatever it touches."""
    if all(step.transactional for step in review.plan.steps):
        return
    late = late_sessions(connection, LATE_SECONDS)
    if late:
        raise Refused(
            f"A statement that runs alone would wait for {', '.join(late[:3])}. Nothing was changed. End what is open "
            f"for more than {LATE_SECONDS} s, then request again."
        )


def nothing_unseen(connection: Connection, review: Review) -> None:
    """What nobody can follow could act where no counter of the transaction shows it, if the role may."""
    opaque = any(finding.severity == OPAQUE for finding in review.analysis.findings)
    if why := refused_role(unseen_powers(connection) if opaque else [], opaque):
        raise Refused(why)


def no_strange_index(connection: Connection, review: Review) -> None:
    """An invalid index under a name that the file makes, or left by a REINDEX that is not ours."""
    if Application.objects.filter(file=review.file, environment=review.environment, status="partly").exists():
        return  # our own leftovers are cleaned by the step itself
    expectations = expected(review.file.data).expectations
    made = {wanted.name for wanted in expectations if wanted.kind == "index" and wanted.present}
    rebuilt = _rebuilt_tables(review)
    for index in indexes(connection, []):
        left = index.name.rpartition("_cc")[2].rstrip("0123456789") in ("new", "old")
        if not index.valid and (index.name in made or (left and index.table in rebuilt)):
            raise Refused(
                f"The index {index.name} on {index.table} is invalid and not ours. Nothing was changed. Drop it "
                "(DROP INDEX CONCURRENTLY), then request again."
            )


def _rebuilt_tables(review: Review) -> set[str]:
    statements = parse(review.file.data)
    if not any(isinstance(statement, Raw) and statement.kind == "ReindexStmt" for statement in statements):
        return set()
    return {".".join(touched.name) for step in review.plan.steps for touched in step.objects}


def needed_bytes(review: Review) -> int | None:
    """Room for the tables that are written anew beside the old ones, with as much again for the log; None: unknown."""
    size = rewritten_bytes(review.analysis, review.facts)
    return None if size is None else COPIES * size


def free_bytes(environment: Environment) -> int | None:
    """Free disk as the provider tells it; SQL cannot, so None without a provider that does."""
    if not (environment.supabase_ref and configured()):
        return None
    try:
        return quick().projects.disk(environment.supabase_ref).available_bytes
    except (ProviderError, Refused):
        return None


def room(review: Review) -> str:
    """A sentence about the disk. Raises Refused where the provider says that there is too little."""
    needed = needed_bytes(review)
    if not needed:
        return "no table that exists is written anew" if needed == 0 else "how much is written anew is not known"
    free = free_bytes(review.environment)
    need = f"tables are written anew, which needs about {max(1, needed // MB):,} MB of disk"
    if free is None:
        return f"{need}; how much is free, the database cannot tell: look at its provider's page"
    if free < needed:
        raise Refused(
            f"{need[0].upper()}{need[1:]}, and {free // MB:,} MB are free. Nothing was changed. Enlarge the disk, then "
            "request again."
        )
    return f"{need}; {free // MB:,} MB are free"
