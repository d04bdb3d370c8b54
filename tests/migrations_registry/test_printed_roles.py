"""With exactly the grants of the Connect page a migration is applied: in a transaction, alone, and with rows kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from operations.models import Environment
from tests.migrations_registry.applying import Act, add_supabase, rows
from tests.printed_roles import printed_roles

pytestmark = pytest.mark.django_db(transaction=True)
FILE = """
CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id uuid REFERENCES users (id));
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (true);
ALTER TABLE users ADD COLUMN nickname text;
UPDATE users SET nickname = 'x' WHERE full_name IS NULL;
"""
ALONE = "CREATE INDEX CONCURRENTLY notes_by_user ON notes (user_id);"


@pytest.fixture
def printed(dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with printed_roles(dsns["admin"], monkeypatch):
        yield


def test_with_exactly_these_grants_files_are_applied(
    printed: None, baselined: Environment, act: Act, dsns: dict[str, str], backups: None
) -> None:
    done = [act("migrations.apply", file=add_supabase(*each).sha256) for each in ((2, FILE), (3, ALONE))]

    assert [(each.status, each.error) for each in done] == [("succeeded", "")] * 2
    owner = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'notes'"
    assert rows(dsns["admin"], owner) == rows(dsns["admin"], owner.replace("'notes'", "'users'"))
