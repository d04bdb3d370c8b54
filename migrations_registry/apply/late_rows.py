"""Without a gap: under the change's own locks, what was written after the restore point is copied and stored.

In: an open transaction, before its statements. Out: late rows stored beside the restore point, named in the journal; or
an error, upon which the caller rolls back. It ends within the time for which the rules let others wait.
"""

from __future__ import annotations

import time
from typing import Any

from backups.archive.manifest import Manifest
from backups.stores.trusted_manifest import store_of, trusted_manifest
from migrations_registry.analysis.data_loss import Destroyed
from migrations_registry.analysis.risk import DEFAULT_POLICY
from migrations_registry.apply import restore_point
from migrations_registry.apply.attempt import Attempt, required
from migrations_registry.apply.late_rows_copy import LateRowsCopy, Place, store_late_rows
from migrations_registry.services.live_facts import live_of
from migrations_registry.services.planning import policy_in_force
from providers import postgres
from providers.counting import counted
from providers.errors import Refused
from providers.postgres.connection import Connection
from providers.postgres.migrate.cascade_reach import ReachedTable
from providers.postgres.migrate.target_behaviour import behaviour

WITH_MAINTENANCE_SECONDS = 15 * 60


def copy_late_rows(attempt: Attempt, connection: Connection, step: dict[str, Any]) -> None:
    """Copy what one step is about to destroy and the restore point does not hold; journal how much and how long."""
    if not required(attempt.ctx).restore_point:
        return
    live = live_of(behaviour(attempt.other_session))
    destroys, known = attempt.destroys(live, step), restore_point.known_tables(attempt.ctx)
    unkept = restore_point.unkept_tables(attempt.ctx)
    if known and not restore_point.tables_of(attempt.other_session, attempt.destroys(live)):
        destroys = Destroyed(tables=tuple(known))  # nobody can tell by which step: each keeps what it finds
    if not destroys:
        return
    if not known:
        locked(connection, destroys, unkept)
        return
    run = restore_point.run_of(attempt.ctx, sorted(known))
    manifest = trusted_manifest(run, store_of(run))
    same_server(attempt.server, manifest)
    limit = _limit(attempt)
    there = locked(connection, destroys, known | unkept)
    tables = [table for table in there if table.oid in known.values()]
    place = Place(attempt.ctx.key, step["number"], attempt.ctx.fence, step["attempts"])
    copy = LateRowsCopy(connection, attempt.other_session, manifest, store_of(run), place, limit)
    rows = store_late_rows(copy, tables, known)
    seconds = time.monotonic() - copy.began
    attempt.note(step, kept={"rows": rows, "seconds": round(seconds, 3), "key": copy.directory if rows else ""})
    attempt.ctx.log(
        f"step {step['number']}: {counted(rows, 'row')} written since the restore point kept, {seconds:.2f} s"
    )


def _limit(attempt: Attempt) -> float:
    """For how long writers may wait: what the rules allow without maintenance mode."""
    if required(attempt.ctx).maintenance:
        return WITH_MAINTENANCE_SECONDS
    row = policy_in_force()
    return float(row.maintenance_seconds if row else DEFAULT_POLICY.maintenance_seconds)


def locked(connection: Connection, destroys: Destroyed, known: dict[str, int]) -> list[ReachedTable]:
    """The tables with rows, locked against writers, attachments and new references; all are in the restore point."""
    before = restore_point.tables_of(connection, destroys)
    if not before:
        return []
    postgres.lock_tables(connection, [(table.schema, table.name) for table in before])
    after = restore_point.tables_of(connection, destroys)
    oids = set(known.values())
    strange = sorted({table.qualified for table in (*before, *after) if table.holds_rows and table.oid not in oids})
    if strange or {table.oid for table in before} != {table.oid for table in after}:
        raise Refused(
            f"{', '.join(strange[:5]) or 'What will be destroyed'} is not what the restore point holds: it was made, "
            "attached or swapped after it. The transaction was rolled back, nothing was changed. Request it again."
        )
    return [table for table in after if table.holds_rows]


def same_server(here: postgres.Facts | None, manifest: Manifest) -> None:
    """Row versions can be compared on one server and one timeline only; some services do not tell theirs."""
    there = manifest.source
    assert here is not None  # noqa: S101 - run_steps looked before it began
    comparable = bool(here.system_identifier and there.system_identifier)
    identity = (here.system_identifier, here.timeline) == (there.system_identifier, there.timeline)
    if here.database != there.database or (comparable and not identity):
        raise Refused(
            "The restore point was copied from another server, or this one was restored or failed over since. "
            "The transaction was rolled back, nothing was changed. Request it again."
        )
