"""What the page promises to keep is kept: whatever way a loss takes, its rows are in the proven restore point."""

from __future__ import annotations

import psycopg
import pytest

from backups.models import Run
from migrations_registry.kinds.apply import ApplyMigration
from operations.models import Environment
from tests.migrations_registry.applying import Act, add_supabase

pytestmark = pytest.mark.django_db(transaction=True)
WAYS = {
    "a narrowing": "ALTER TABLE precious ALTER COLUMN note TYPE varchar(2) USING left(note, 2)",
    "a narrowing without USING": "ALTER TABLE precious ALTER COLUMN id TYPE smallint, ALTER COLUMN note TYPE char(4)",
    "a DELETE through a view": "DELETE FROM shown",
    "an UPDATE through a view": "UPDATE shown SET note = 'x'",
    "a MERGE": "MERGE INTO precious p USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET note = 'x'",
    "a view of a view": "DELETE FROM shown_again WHERE id > 0",
    "every row": "UPDATE precious SET note = NULL",
    "a column": "ALTER TABLE precious DROP COLUMN note",
    "a table that is swapped": "ALTER TABLE precious RENAME TO gone; DROP TABLE gone",
}


@pytest.fixture
def views(precious: None, dsns: dict[str, str]) -> None:
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute("CREATE VIEW public.shown AS SELECT id, note FROM public.precious")
        admin.execute("CREATE VIEW public.shown_again AS SELECT * FROM public.shown")
        for name in ("shown", "shown_again"):
            admin.execute(f"ALTER VIEW public.{name} OWNER TO sampelit_migration".encode())


@pytest.mark.sampled(3)
@pytest.mark.parametrize("way", WAYS)
def test_the_rows_are_in_the_restore_point_that_was_promised(
    way: str, request: pytest.FixtureRequest, dsns: dict[str, str], backups: None
) -> None:
    request.getfixturevalue("views" if "view" in way else "precious")
    baselined: Environment = request.getfixturevalue("baselined")
    act: Act = request.getfixturevalue("act")
    file = add_supabase(2, WAYS[way])
    lines = " ".join(line.text for line in ApplyMigration().consequences(baselined, {"file": file.sha256}))
    assert "Needs a proven restore point first" in lines
    assert "public.precious" in lines

    operation = act("migrations.apply", file=file.sha256)

    assert operation.status == "succeeded", operation.error
    run = Run.objects.get(operation=operation)
    assert (run.status, run.tables) == ("proven", ["public.precious"])


@pytest.mark.parametrize(
    "text",
    [
        "UPDATE algorithm_audit_trail SET decision_hash = 'x'",
        "INSERT INTO precious SELECT id, 'x' FROM precious ON CONFLICT (id) DO UPDATE SET note = 'x'",
        "MERGE INTO precious p USING precious q ON p.id = q.id WHEN MATCHED THEN UPDATE SET note = 'x'",
    ],
)
def test_overwriting_is_never_routine(text: str, precious: None, baselined: Environment) -> None:
    assert ApplyMigration().assess(baselined, {"file": add_supabase(2, text).sha256}) != "routine"
