"""One transaction that brings back what a migration destroyed: objects, rows, values; then what holds them together.

In: a session that may write, the plan of the objects, what each table lost, a function that stages a table's old rows.
Out: counts and notes. Everything or nothing of the rows; an object that the server refuses to make is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from migrations_registry.fingerprint import Fingerprint, SchemaObject
from migrations_registry.fingerprint.model import of_rows
from migrations_registry.undo.action import KEYS, ROUTINES, Action
from migrations_registry.undo.losses import TableLoss
from migrations_registry.undo.objects import Looks
from migrations_registry.undo.outcome import not_back, sentences, taken_along
from providers import postgres
from providers.counting import counted
from providers.postgres.connection import Connection
from providers.postgres.driver_errors import first_line
from providers.postgres.restore.side_effects import silent_triggers
from providers.postgres.restore.table_sync import columns_of, set_aside
from providers.postgres.restore.undo_rows import Lost, Returned, bring_back_lost, numbers_after, other_keys, remember
from providers.postgres.schema.objects import objects_in_transaction

Name = tuple[str, str]
Stage = Callable[[Name, str], list[str]]


@dataclass(frozen=True)
class Staged:
    """What one request destroyed, in these transactions; `stage` fills a temporary table and answers its columns."""

    losses: Sequence[TableLoss]
    xids: Sequence[int]
    stage: Stage


@dataclass
class Undone:
    """By table what came back; what did not, in sentences. `waiting`: what the server refused so far, with its words.

    `lost`: what of the schema is not as it was before the migration.
    """

    tables: dict[str, Returned] = field(default_factory=dict)
    objects: int = 0
    notes: list[str] = field(default_factory=list)
    waiting: list[tuple[Action, str]] = field(default_factory=list)
    lost: list[SchemaObject] = field(default_factory=list)

    def told(self) -> Iterator[str]:
        """What came back, a sentence each."""
        if self.objects:
            yield f"{counted(self.objects, 'object')} made again, or as it was."
        for table, back in self.tables.items():
            yield f"{table}: {counted(back.rows, 'row')} and {counted(back.values, 'value')} came back."


def undo(connection: Connection, looks: Looks, parts: Sequence[Staged]) -> Undone:
    """Inside the caller's transaction. What the server refused is told where it matters in the end."""
    now = _look(connection)
    plan = looks.plan(now)
    done = Undone(notes=list(plan.notes))
    connection.execute("SET LOCAL check_function_bodies = off")
    _run([action for action in plan.actions if action.phase <= ROUTINES], connection, done)
    taken = [(part, loss) for part in parts for loss in part.losses]
    lost = [_remembered(connection, f"undo_{number}", loss, part) for number, (part, loss) in enumerate(taken)]
    _run([action for action in plan.actions if ROUTINES < action.phase <= KEYS], connection, done)
    live = list(dict.fromkeys(each.live for each, _ in lost))
    with silent_triggers(connection, live):
        for each, names in lost:
            _bring_back(connection, each, names, done)
    _settle(connection)
    _run([action for action in plan.actions if action.phase > KEYS], connection, done)
    for table in live:
        numbers_after(connection, table)
    then = _look(connection)
    if again := taken_along(looks.before, now, then).objects:
        _run(Looks(Fingerprint(again), then).plan(then).actions, connection, done)
        then = _look(connection)
    done.lost = [*not_back(looks, then), *taken_along(looks.before, now, then).objects]
    _tell(done)
    return done


def _look(connection: Connection) -> Fingerprint:
    return of_rows((item.kind, item.name, item.of, item.sql) for item in objects_in_transaction(connection))


def _settle(connection: Connection) -> None:
    """Deferred checks of the rows that came, for as long as they wait no table may be altered; those that fail, fail
    at COMMIT."""
    with suppress(psycopg.Error), connection.transaction():
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _tell(done: Undone) -> None:
    """Only of what is not as it was: what one statement could not do, another may have done."""
    lost = {item.key for item in done.lost}
    done.notes += [f"{each.note} {why}".strip() for each, why in done.waiting if each.note and each.key in lost]
    done.notes = list(dict.fromkeys([*done.notes, *sentences(done.lost, done.notes)]))


def _remembered(connection: Connection, staged: str, loss: TableLoss, part: Staged) -> tuple[Lost, list[str]]:
    """Stage the old rows; which of the live ones nobody touched is seen before the table is altered."""
    live = (loss.table[0], loss.table[1])
    names = part.stage(live, staged)  # none where there was no row to keep
    there = set(columns_of(connection, live)) if not loss.whole else set(names)
    key = loss.key if set(loss.key) <= there else ()
    lost = Lost(live, ("pg_temp", staged), key, loss.rows, loss.values, loss.columns, tuple(part.xids))
    if not loss.whole and key:
        postgres.lock_tables(connection, [live])
        remember(connection, lost)
    return lost, names


def _bring_back(connection: Connection, lost: Lost, names: Sequence[str], done: Undone) -> None:
    if not names:
        return
    there = set(columns_of(connection, lost.live))
    table = ".".join(lost.live)
    if rekeyed := other_keys(connection, lost):
        done.notes.append(
            f"Of {table}, {counted(rekeyed, 'row')} whose key the migration changed, or that somebody deleted since: "
            "what was under that key does not come back."
        )
    returned = bring_back_lost(connection, lost, [name for name in names if name in there])
    done.tables[table] = done.tables.get(table, Returned()) + returned
    if returned.kept:
        done.notes.append(f"{returned.kept} rows of {table} were changed since; they keep their values.")
    if not lost.key and (lost.values or lost.columns):
        beside = set_aside(connection, lost.live, lost.staged)
        done.notes.append(f"{table} has no primary key, so its old values lie beside it, in {beside}.")


def _run(actions: Iterable[Action], connection: Connection, done: Undone) -> None:
    """In rounds, because one may need another of its phase; what is left when nothing moves waits for what follows."""
    waiting = [*(action for action, _ in done.waiting), *actions]
    while True:
        done.waiting = [(action, why) for action in waiting if (why := _tried(action, connection, done)) is not None]
        if len(done.waiting) == len(waiting):
            return
        waiting = [action for action, _ in done.waiting]


def _tried(action: Action, connection: Connection, done: Undone) -> str | None:
    """None where a way was taken; else what the server said of the last one."""
    why = ""
    for number, way in enumerate(action.ways):
        try:
            with connection.transaction():
                for statement in way:
                    connection.execute(statement.encode())
        except psycopg.Error as error:
            why = first_line(error)
            continue
        done.objects += 1
        if number and action.note:
            done.notes.append(action.note)
        return None
    return why
