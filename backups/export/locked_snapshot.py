"""The moment a run shows: its tables locked first, then one snapshot, so that nothing falls between the two.

In: two sessions and a policy. Out: the snapshot, and the tables as it sees them. Raises Refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from backups.archive.source import Source
from backups.policy_spec import PolicySpec
from providers import postgres
from providers.errors import Refused
from providers.memory import unswept
from providers.postgres.connection import Connection
from providers.postgres.copy.unplanned import with_unplanned

FOREIGN = "f"  # a partition whose rows lie on another server: it cannot be locked, and none of its rows are copied


def refuse(texts: Sequence[str]) -> None:
    if texts:
        raise Refused("The export was refused before anything was copied. " + " ".join(texts))


@unswept()
def locked_snapshot(
    leader: Connection, guard: Connection, spec: PolicySpec
) -> tuple[postgres.Snapshot, postgres.Catalog]:
    """First the locks, then the snapshot; a table that came in between is locked too, by beginning again."""
    while True:
        wanted = postgres.read_names(guard, spec.tables, closure=spec.closure)
        refuse(postgres.table_problems(guard, wanted))
        postgres.hold_tables(guard, [table.key for table in wanted if table.kind != FOREIGN])
        snapshot = postgres.export_snapshot(leader)
        catalog = postgres.read_catalog(leader, spec.tables, closure=spec.closure)
        if {table.oid for table in catalog.tables} <= {table.oid for table in wanted}:
            return snapshot, with_unplanned(leader, catalog)
        guard.execute("ROLLBACK")
        leader.execute("ROLLBACK")


def source_of(facts: postgres.Facts, snapshot: postgres.Snapshot) -> Source:
    return Source(
        database=facts.database,
        role=facts.role,
        server_version=facts.server_version,
        system_identifier=facts.system_identifier,
        timeline=facts.timeline,
        xmin=snapshot.xmin,
        xmax=snapshot.xmax,
        lsn=snapshot.lsn,
        taken_at=snapshot.taken_at,
    )
