"""The undo of a file is tried on the rehearsal's copy: what does not come back there is said before anybody votes."""

from __future__ import annotations

import pytest

from migrations_registry.services.planning import review
from migrations_registry.services.rehearsal_lines import lines_of
from migrations_registry.services.rehearsals import newest_rehearsal
from migrations_registry.services.undo_forecast import undo_forecast
from operations.models import Environment
from tests.migrations_registry.applying import Act, add_supabase
from tests.migrations_registry.test_rehearsal import proven, rehearsed

__all__ = ["proven"]  # the fixture
pytestmark = pytest.mark.django_db(transaction=True)
SEEN = "a rehearsal undid it"
NOT_ALL = "not of every table the copy has rows to compare"
UNDONE = [
    (
        "ALTER TABLE leads DROP COLUMN message; DELETE FROM leads WHERE email IS NOT NULL",
        f"fully ({SEEN})",
        ("Its undo was rehearsed: objects and rows came back as they were.", "ok"),
    ),
    ("UPDATE leads SET id = gen_random_uuid()", "no: ", ("Its undo was rehearsed: Of public.leads, ", "bad")),
    (
        "DROP TABLE experiments CASCADE",
        f"fully ({SEEN}, but {NOT_ALL})",
        (f"Its undo was rehearsed, but {NOT_ALL}.", "warn"),
    ),
    (
        "DELETE FROM leads; DISCARD TEMP",
        f"fully ({SEEN}, but {NOT_ALL})",
        (f"Its undo was rehearsed, but {NOT_ALL}.", "warn"),
    ),
    ("DELETE FROM experiments", "fully", None),  # of which the copy has no rows: nothing was lost there
    ("CREATE TABLE fresh (id integer); INSERT INTO fresh VALUES (1)", None, None),
]


@pytest.mark.parametrize(("text", "can", "line"), UNDONE, ids=[text for text, *_ in UNDONE])
def test_what_an_undo_brings_back_is_seen_before_the_vote(
    text: str, can: str | None, line: tuple[str, str] | None, proven: Environment, act: Act
) -> None:
    file = add_supabase(2, text)

    _, seen = rehearsed(act, file)

    assert seen.status == "passed", seen.error
    said = undo_forecast(review(file, proven))
    assert (can is None) == (said is None), said
    assert said is None or str(said).startswith(can or ""), said
    lines = [each for each in lines_of(seen) if each[0].startswith("Its undo")]
    assert {(text.startswith(line[0]), tone) for text, tone in lines} == {(True, line[1])} if line else not lines


def test_what_was_seen_on_another_schema_is_no_answer(proven: Environment, act: Act) -> None:
    """Nor is what nobody can follow followed by it."""
    opaque = "DO $$ BEGIN EXECUTE (SELECT 'update leads set message = message' FROM leads LIMIT 1); END $$"
    files = [
        add_supabase(2, "DELETE FROM users"),
        add_supabase(3, opaque),
        add_supabase(4, "CREATE TABLE new (id int)"),
    ]
    for file in files[:2]:
        rehearsed(act, file)
    before = [str(undo_forecast(review(file, proven))) for file in files[:2]]

    assert act("migrations.apply", file=files[2].sha256, out_of_order="yes").status == "succeeded"
    after = [str(undo_forecast(review(file, proven))) for file in files[:2]]

    assert before[0] == f"fully ({SEEN})"
    assert (SEEN in before[1], SEEN in "".join(after)) == (True, False)
    assert "it was not rehearsed on the schema of today" in after[1]
    for file in files[:2]:
        row = newest_rehearsal(file, proven)
        assert ("The schema of production may have changed since: rehearse it again.", "warn") in lines_of(row)
