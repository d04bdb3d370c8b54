"""What a live database holds, and how a test spoils it after a run."""

from __future__ import annotations

import psycopg


def rows(dsn: str, query: str) -> list[tuple]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchall()


def spoil(dsns: dict[str, str]) -> None:
    with psycopg.connect(dsns["admin"]) as connection:
        connection.execute(
            "DELETE FROM algorithm_audit_trail t USING (SELECT experiment_id, max(sequence_number) AS last"
            " FROM algorithm_audit_trail GROUP BY 1) e WHERE t.experiment_id = e.experiment_id"
            " AND t.sequence_number = e.last"
        )
        connection.execute(
            "UPDATE algorithm_audit_trail SET conversion_value = 1234.5 WHERE id IN"
            " (SELECT id FROM algorithm_audit_trail ORDER BY id LIMIT 3)"
        )
        connection.execute("INSERT INTO users (email, password_hash, full_name) VALUES ('new@example.com', 'x', 'New')")
        connection.execute("UPDATE users SET full_name = 'Overwritten' WHERE email <> 'new@example.com'")


def signed_up(dsns: dict[str, str], email: str) -> None:
    """A new user whose row in a table outside the policy goes when the user goes."""
    with psycopg.connect(dsns["admin"]) as connection:
        connection.execute(
            "WITH u AS (INSERT INTO users (email, password_hash, full_name) VALUES (%s, 'x', 'N') RETURNING id)"
            " INSERT INTO user_onboarding (user_id) SELECT id FROM u",
            [email],
        )
