"""The preflight of an export, without the export: for `doctor`. In: an environment, its DSN. Out: Checks.

Asks what the export itself asks before its first byte, for every enabled policy, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from backups import disk_space
from backups.models import Policy, Run
from operations.doctor import Check
from operations.models import Environment
from providers import postgres
from providers.counting import counted
from providers.embedded_postgres.choice import too_new
from providers.errors import ProviderError, Refused
from providers.postgres.connection import Connection
from providers.postgres.copy.largest_value import Largest, largest_value

WHY = "An export is refused for this before it copies a byte."


def checks(environment: Environment, dsn: str) -> Iterator[Check]:
    name = f"export of {environment}"
    try:
        with postgres.connect(dsn, timeout=5) as connection:
            yield from _policies(name, environment, connection)
    except ProviderError as error:
        yield Check(name, "bad", error.message, WHY, "Correct the DSN or start the database.")
    except psycopg.Error as error:
        yield Check(name, "bad", postgres.explain(error, "The preflight").message, WHY, "Look at the database's log.")


def _policies(name: str, environment: Environment, connection: Connection) -> Iterator[Check]:
    facts = postgres.facts(connection)
    readable: set[str] = set()
    for policy in Policy.objects.filter(environment=environment, enabled=True):
        last = Run.objects.counting().filter(policy=policy).select_related("policy").order_by("-proven_at").first()
        identity, timeline = (last.identity_for_next, last.timeline_for_next) if last else ("", 0)
        texts = [*filter(None, [too_new(facts.version // 10000)]), *postgres.problems(facts, identity, timeline)]
        problems, largest = _tables(policy, connection, readable)
        texts += problems
        for text in texts:
            yield Check(f"{name}: {policy.name}", "bad", text, WHY, text)
        note = postgres.timeline_note(facts.timeline, timeline)
        if note:
            yield Check(f"{name}: timeline", "warn", note, "Rows may have gone back in time.", "Compare the next run.")
        if not texts:
            same = "the same database as the last proven run" if identity else "no proven run to compare with"
            size = f", the largest value {largest.bytes / 1e6:.0f} MB in {largest.table}" if largest.bytes else ""
            yield Check(
                f"{name}: {policy.name}", "ok", f"{counted(len(readable), 'table')} readable, {same}{size}", WHY
            )


def _tables(policy: Policy, connection: Connection, readable: set[str]) -> tuple[list[str], Largest]:
    """Problems of the policy's tables, and their largest value; adds the names of those that can be read."""
    try:
        tables = postgres.read_catalog(connection, policy.tables, closure=policy.closure).data_tables
    except Refused as refusal:
        return [refusal.reason], Largest()
    problems = postgres.table_problems(connection, tables)
    readable.clear()
    readable.update(table.qualified for table in tables)
    largest = Largest() if problems else largest_value(connection, tables)
    return [*problems, *disk_space.value_problems(largest.bytes, largest.table)], largest
