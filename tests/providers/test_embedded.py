"""The embedded server: as root and as an ordinary user, after crashes, beside others, and without touching others' files."""

from __future__ import annotations

import psycopg

from providers.embedded import throwaway


def test_a_throwaway_server_answers_with_its_extensions_and_leaves_no_directory() -> None:
    with throwaway() as server:
        directory = server.data_dir
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute('CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION pgcrypto')
            row = connection.execute("SELECT uuid_generate_v4() IS NOT NULL, length(digest('a', 'sha256'))").fetchone()

    assert row == (True, 32)
    assert not directory.exists()
