"""Rows that should be there and are not, and rows that should have been there before. In: a drill with today's rows.

Out: RowDifferences, or None.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from providers.postgres.audit_trail.tamper import RowDifferences
from providers.postgres.connection import Connection, statements
from providers.postgres.schema.model import Name

UNAUDITED_AFTER = "15 minutes"  # an assignment may be written before its decision
UNDER_WAY = "15 minutes"  # how long a transaction may have been open when the earlier run was taken


def unaudited(
    connection: Connection, audit: Name, assignments: Name, taken_at: str, limit: int
) -> RowDifferences | None:
    """Assignments older than the grace time, as of the snapshot, whose decision is in no chain."""
    query = sql.SQL(statements("tamper_unaudited")).format(
        audit=sql.Identifier(*audit), assignments=sql.Identifier(*assignments)
    )
    rows = connection.execute(query, [taken_at, UNAUDITED_AFTER, limit]).fetchall()
    if not rows:
        return None
    examples = tuple(
        {"id": key, "chain": chain, "before": {}, "after": {"user_id": user, "assigned_at": at}}
        for key, chain, user, at, _, _ in rows
    )
    return RowDifferences("unaudited", int(rows[0][4]), len({row[1] for row in rows}), str(rows[0][5]), examples)


def backdated(
    connection: Connection, audit: Name, heads: Sequence[tuple[str, int]], taken_at: str, limit: int
) -> RowDifferences | None:
    """Rows behind what the earlier run held whose time is before that run: they should have been in it."""
    query = sql.SQL(statements("tamper_backdated")).format(audit=sql.Identifier(*audit))
    values = [[chain for chain, _ in heads], [last for _, last in heads], taken_at, UNDER_WAY, limit]
    rows = connection.execute(query, values).fetchall()
    if not rows:
        return None
    examples = tuple(
        {
            "id": f"{chain}/{number}",
            "chain": chain,
            "sequence": number,
            "before": {},
            "after": {"decision_timestamp": at},
        }
        for chain, number, at, _, _, _ in rows
    )
    return RowDifferences("backdated", int(rows[0][3]), int(rows[0][4]), str(rows[0][5]), examples)
