"""What a database holds, as the model of a random walk writes it down. In: a connection. Out: a State."""

from __future__ import annotations

from typing import Any

import psycopg

from tests.backups.walk_model import Assigned, Decision, State

READ = (
    "SELECT id::text, experiment_id::text, visitor_id, selected_variant_id::text, assignment_id::text,"
    " decision_timestamp, segment_key, context_hash, sequence_number, previous_hash, decision_hash,"
    " conversion_observed, conversion_timestamp, conversion_value FROM algorithm_audit_trail"
)


def read(connection: psycopg.Connection[Any]) -> State:
    """What a database holds; the model's beginning, and what a restored copy is compared with."""
    state = State()
    for key, *row in connection.execute(READ):
        state.audit[key] = Decision._make([*row[:10], tuple(row[10:])])
    query = (
        "SELECT id::text, experiment_id::text, user_id, assigned_at, converted_at, conversion_value FROM assignments"
    )
    for key, *row in connection.execute(query):
        state.assignments[key] = Assigned._make([*row[:3], tuple(row[3:])])
    state.experiments = {key: [] for (key,) in connection.execute("SELECT id::text FROM experiments")}
    for key, chain in connection.execute("SELECT id::text, experiment_id::text FROM experiment_elements ORDER BY id"):
        state.experiments[chain].append(key)
        state.variants[key] = []
    for key, element in connection.execute("SELECT id::text, element_id::text FROM element_variants ORDER BY id"):
        state.variants[element].append(key)
    columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'algorithm_audit_trail'"
    [(state.users,)] = connection.execute("SELECT count(*) FROM users").fetchall()
    state.added = connection.execute(columns + " AND column_name LIKE 'note%'").fetchall()[0][0]
    return state
