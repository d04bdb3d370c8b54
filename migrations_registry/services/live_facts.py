"""Live facts of an environment for the analysis: providers' rows in, `analysis.facts.CatalogFacts` out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

import psycopg

from migrations_registry.analysis.data_loss import Destroyed
from migrations_registry.analysis.facts import CatalogFacts, CatalogRoutine, ColumnFacts, Hook, Programs, TableFacts
from migrations_registry.analysis.postgresql.builtin_functions import HARMLESS_EXTENSIONS
from migrations_registry.effects.live import Live, Reference, Trigger
from operations.dsns import reading_dsn
from operations.models import Environment
from providers import postgres
from providers.errors import ProviderError
from providers.postgres.migrate.cascade_reach import Reach, ReachedTable, reached
from providers.postgres.migrate.target_behaviour import Behaviour, behaviour
from providers.postgres.schema.live_facts import LiveDatabase, LiveTable, read_live
from providers.postgres.schema.platform_objects import Around, around
from providers.postgres.schema.programs import LivePrograms, LiveRoutine

K = TypeVar("K")
V = TypeVar("V")
Key = tuple[str, Hashable]  # a DSN and what was asked there
RECENT_SECONDS = 5.0
UNREACHABLE = "unreachable"
_recent: dict[Key, tuple[float, Any]] = {}


def live_facts(environment: Environment) -> CatalogFacts:
    """Read the environment's catalog. Raises Refused (no DSN) and ProviderError (not reachable)."""
    return _recently(environment, "facts", lambda connection: facts_of(read_live(connection)))


def live_reach(environment: Environment, destroys: Destroyed) -> list[ReachedTable]:
    """Which tables of the environment something destroys. Raises as `live_facts`."""
    return _recently(environment, destroys, lambda connection: reached(connection, Reach(**asdict(destroys))))


def live_behaviour(environment: Environment) -> Live:
    """What the environment does by itself when rows change. Raises as `live_facts`."""
    return _recently(environment, "behaviour", lambda connection: live_of(behaviour(connection)))


def live_around(environment: Environment, texts: Sequence[str]) -> Around:
    """What lies in those schemas of the environment's platform that the texts name. Raises as `live_facts`."""
    words = {word.lower() for text in texts for word in re.findall(r"\w+", text)}
    schemas = [schema for schema in postgres.PLATFORM_SCHEMAS if schema in words]
    return _recently(environment, ("around", *schemas), lambda connection: around(connection, schemas))


def _recently(environment: Environment, what: Hashable, read: Callable[[psycopg.Connection[Any]], V]) -> V:
    """One page asks several times: an answer is good for a few seconds, and older ones are let go."""
    key = (reading_dsn(environment), what)
    if (kept := _kept(key)) is not None:
        answer: V = kept
        return answer
    with _connect(key[0]) as connection:
        try:
            answer = read(connection)
        except psycopg.Error as error:
            raise postgres.explain(error, f"Reading the catalog of {environment}") from error
    _keep(key, answer)
    return answer


def _connect(dsn: str) -> psycopg.Connection[Any]:
    """A session. Nobody waits again for a database that could not be reached a moment ago."""
    key = (dsn, UNREACHABLE)
    if (failure := _kept(key)) is not None:
        raise failure
    try:
        return postgres.connect(dsn, timeout=3)
    except ProviderError as error:
        _keep(key, error)
        raise


def _kept(key: Key) -> Any:
    asked_at, answer = _recent.get(key, (0.0, None))
    return answer if time.monotonic() - asked_at < RECENT_SECONDS else None


def _keep(key: Key, answer: object) -> None:
    now = time.monotonic()
    for old in [each for each, (asked_at, _) in list(_recent.items()) if now - asked_at >= RECENT_SECONDS]:
        _recent.pop(old, None)
    _recent[key] = (now, answer)


def facts_of(live: LiveDatabase) -> CatalogFacts:
    """Providers' rows as the analysis wants them."""
    return CatalogFacts(
        tables={(table.schema, table.name): _table(table) for table in live.tables},
        domains=frozenset((name.partition(".")[0], name.partition(".")[2]) for name in live.domains),
        timezone="UTC",  # the runner sets TimeZone to UTC for the statements it applies
        is_supabase=live.is_supabase,
        server_version=live.server_version,
        programs=_programs(live.programs),
    )


def _programs(live: LivePrograms) -> Programs:
    """What the database runs by itself; of an extension that only answers, nothing is left to follow."""
    routines: dict[str, list[CatalogRoutine]] = {}
    hooks: dict[tuple[str, str], list[Hook]] = {}
    operators: dict[str, list[CatalogRoutine]] = {}
    relatives: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for each in live.routines:
        row = CatalogRoutine(each.schema, each.text, _unread(each), each.runs)
        routines.setdefault(each.name, []).append(row)
    for hook in live.hooks:
        hooks.setdefault(hook.relation, []).append(Hook(hook.events, hook.what, hook.text))
    for name, schema, function, extension in live.operators:
        runs = () if extension in HARMLESS_EXTENSIONS else (function,)
        operators.setdefault(name, []).append(CatalogRoutine(schema, runs=runs))
    for one, other in live.relatives:
        relatives.setdefault(one, []).append(other)
    return Programs(
        _fixed(routines), _fixed(hooks), _fixed(operators), live.with_rows, live.with_ddl, _fixed(relatives)
    )


def _fixed(found: dict[K, list[V]]) -> dict[K, tuple[V, ...]]:
    return {name: tuple(rows) for name, rows in found.items()}


def _unread(found: LiveRoutine) -> str:
    if found.text or found.runs or found.extension in HARMLESS_EXTENSIONS:
        return ""
    return (
        f"which is of the extension {found.extension}" if found.extension else f"which is written in {found.language}"
    )


def _table(table: LiveTable) -> TableFacts:
    return TableFacts(
        rows=table.rows,
        bytes=table.bytes,
        columns={name: ColumnFacts(*column) for name, column in table.columns.items()},
        not_null_checks=table.not_null_checks,
        indexes={name: valid for name, (valid, *_) in table.indexes.items()},
        index_columns={name: columns for name, (_, _, columns, _) in table.indexes.items()},
        unique=frozenset(name for name, (*_, unique) in table.indexes.items() if unique),
        indexed=frozenset(names[0] for valid, full, names, _ in table.indexes.values() if valid and full and names),
        oldest_transaction_seconds=table.oldest_transaction_seconds,
        remade=table.remade,
        references={name: ((schema, parent), own) for name, (schema, parent, own) in table.references.items()},
        partition_key=table.partition_key,
        default_partition=table.default_partition,
    )


def live_of(found: Behaviour) -> Live:
    """What a target does by itself, as the pure derivation of effects wants it."""
    return Live(
        tuple(Reference(*row) for row in found.references),
        found.views,
        tuple(Trigger(*row) for row in found.triggers),
    )
