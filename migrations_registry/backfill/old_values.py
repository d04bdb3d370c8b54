"""What a batch overwrites and the restore point does not hold: kept in a table of its own in the batch's transaction,
and moved to the store between batches, where an undo and every restore find it.

In: an attempt, its sessions, the key. Out: documents beside the restore point. Nobody waits for the store.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from backups.models import Run
from backups.stores.trusted_manifest import store_of, trusted_manifest
from migrations_registry.apply import restore_point
from migrations_registry.apply.attempt import Attempt, required
from migrations_registry.apply.late_rows import same_server
from migrations_registry.apply.late_rows_copy import LateRowsCopy, Place, store_all
from providers.errors import Refused
from providers.postgres.batches.keys import Key
from providers.postgres.batches.marks import SCHEMA
from providers.postgres.connection import Connection
from providers.postgres.migrate.cascade_reach import ReachedTable, since

MOST_ROWS = 10_000
LONGEST_SECONDS = 600.0


@dataclass
class OldValues:
    """`rows` lie in the table beside it now; `moved` are in the store."""

    attempt: Attempt
    connection: Connection
    key: Key
    run: Run
    oldest: str
    rows: int = 0
    moved: int = 0

    @property
    def name(self) -> tuple[str, str]:
        (step,) = self.attempt.row.steps
        return SCHEMA, f"sampelit_ops_kept_{step['marks'].lower()}"

    def keep(self, between: sql.Composable) -> int:
        """In the batch's transaction, which sees one snapshot of the rows from here to its UPDATE."""
        written = since(self.connection, self.oldest).where()
        query = sql.SQL("INSERT INTO {} SELECT {alias}.* FROM {} AS {alias} WHERE {} AND {}").format(
            sql.Identifier(*self.name),
            sql.Identifier(*self.key.table),
            between,
            written,
            alias=sql.Identifier(self.key.table[1]),
        )
        return self.connection.execute(query.as_string(self.connection).encode(), prepare=False).rowcount

    def move(self, batch: int) -> None:
        """Store what was kept up to this batch, then empty the table. Killed in between, it is stored twice."""
        ctx, table = self.attempt.ctx, sql.Identifier(*self.name)
        row = self.connection.execute(
            sql.SQL("SELECT count(*), {}::regclass::oid FROM {}").format(
                sql.Literal(table.as_string(self.connection)), table
            )
        ).fetchone()
        count, oid = row or (0, 0)
        if count:
            store, manifest = store_of(self.run), trusted_manifest(self.run, store_of(self.run))
            place = Place(ctx.operation.pk, batch, ctx.fence, ctx.attempt)
            copy = LateRowsCopy(self.connection, self.attempt.other_session, manifest, store, place, LONGEST_SECONDS)
            held = ReachedTable(oid, *self.name, 0, True)
            store_all(copy, held, ".".join(self.key.table))
            self.connection.execute(sql.SQL("TRUNCATE {}").format(table))
        self.rows, self.moved = 0, self.moved + count

    def done(self) -> None:
        self.connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(*self.name)))


def old_values(attempt: Attempt, connection: Connection, key: Key) -> OldValues | None:
    """None where nothing that exists is overwritten. Raises Refused where it could not be kept row by row."""
    if not required(attempt.ctx).restore_point:
        return None
    known, table = restore_point.known_tables(attempt.ctx), ".".join(key.table)
    name = sql.Identifier(*key.table).as_string(connection)
    row = connection.execute("SELECT pg_catalog.to_regclass(%s)::oid", [name]).fetchone()
    if known != {table: row and row[0]}:
        others = ", ".join(sorted(known.keys() - {table})) or "nothing"
        raise Refused(
            f"The restore point holds {others} besides {table}, or not the table that is there now: what batches "
            "overwrite could not be kept row by row. Nothing was changed. Apply it as a migration (migrations.apply)."
        )
    run = restore_point.run_of(attempt.ctx, [table])
    manifest = trusted_manifest(run, store_of(run))
    same_server(attempt.server, manifest)
    kept = OldValues(attempt, connection, key, run, manifest.source.xmin)
    made = sql.SQL("CREATE TABLE IF NOT EXISTS {} (LIKE {})")
    connection.execute(made.format(sql.Identifier(*kept.name), sql.Identifier(*key.table)))
    return kept
