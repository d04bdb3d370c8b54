"""Rows within a declared table and verb: more than the statements themselves touched, or than people were shown."""

from __future__ import annotations

import json

import pytest

from migrations_registry.analysis.facts import CatalogFacts, ColumnFacts, TableFacts
from migrations_registry.analysis.model import DESTRUCTIVE
from migrations_registry.analysis.risk import ROUTINE
from migrations_registry.apply.effects_guard import HISTORY, HISTORY_ROW
from migrations_registry.apply.measured import MoreThanApproved, NotVotedOn
from migrations_registry.effects.model import Effect
from migrations_registry.effects.row_counts import RowCount, above_shown, hidden_rows
from migrations_registry.effects.row_queries import row_queries
from migrations_registry.effects.wording import phrases
from providers.postgres.migrate.row_counts import count_rows
from tests.migrations_registry.effects.bench import Bench

MORE = """CREATE FUNCTION public.more() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
  {body}; RETURN 1; END $$"""
# What hides behind the statement, the statement, and what must be said.
HIDDEN = {
    "in its condition": (
        "DELETE FROM public.keep_1 WHERE id > 500",
        "DELETE FROM keep_1 WHERE id = 1 AND more() = 1",
        "deleted 501 rows of public.keep_1, 1 was declared",
    ),
    "beside it": (
        "DELETE FROM public.keep_1 WHERE id > 500",
        "DELETE FROM keep_1 WHERE id < 3; SELECT more()",
        "deleted 502 rows of public.keep_1, 2 were declared",
    ),
    "in what it sets": (
        "UPDATE public.keep_1 SET label = 'gone' WHERE id > 990",
        "UPDATE keep_1 SET label = more()::text WHERE id = 1",
        "updated 11 rows of public.keep_1, 1 was declared",
    ),
    "in what it adds": (
        "INSERT INTO public.keep_1 SELECT g, 'x' FROM generate_series(2000, 2009) g",
        "INSERT INTO keep_1 VALUES (5000 + more(), 'x')",
        "inserted 11 rows into public.keep_1, 1 was declared",
    ),
    "in a partition": (
        "DELETE FROM public.parts_2",
        "DELETE FROM parts WHERE day = 3 AND more() = 1",
        "deleted 50 rows of public.parts_2, 5 were declared",
    ),
}


@pytest.mark.parametrize("where", HIDDEN)
def test_rows_that_are_not_the_statements_own_are_seen(where: str, spoiled: Bench) -> None:
    body, text, said = HIDDEN[where]
    spoiled.own.execute(MORE.format(body=body))
    before = spoiled.state()

    with pytest.raises(MoreThanApproved) as caught:
        spoiled.judge(text, DESTRUCTIVE)

    assert f"It did more than was approved: {said}" in str(caught.value)
    assert spoiled.state() == before


@pytest.mark.parametrize(
    "text",
    [
        "WITH x AS (DELETE FROM keep_1 WHERE id < 5 RETURNING id) DELETE FROM keep_1 k USING x WHERE k.id = x.id + 9",
        "INSERT INTO target VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET b = 'x'; UPDATE target SET a = 1",
        "UPDATE parts SET day = 15 WHERE day = 3; INSERT INTO parts VALUES (5, 5); DELETE FROM parts WHERE day = 9",
        "MERGE INTO target t USING (VALUES (1), (5)) s (id) ON t.id = s.id WHEN MATCHED THEN DELETE"
        " WHEN NOT MATCHED THEN INSERT VALUES (s.id)",
        "DO $$ BEGIN DELETE FROM keep_1 WHERE id = 1; END $$; DELETE FROM keep_1 WHERE id = 2",
        "DELETE FROM keep WHERE id < 9; DELETE FROM children",
        "ALTER TABLE keep_1 RENAME TO kept; DELETE FROM kept WHERE id = 4; UPDATE kept SET v = 'x'",
        "UPDATE seen SET b = 'through'; DELETE FROM seen",
        "INSERT INTO children (keep_id) SELECT id FROM keep; DELETE FROM children WHERE id > 50",
    ],
)
def test_a_statements_own_rows_pass(text: str, bench: Bench) -> None:
    bench.judge(text, DESTRUCTIVE)


def test_a_trigger_on_the_same_table_asks_for_votes(spoiled: Bench) -> None:
    spoiled.own.execute(
        "CREATE FUNCTION public.again() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN UPDATE public.keep_1 SET label = 'too' WHERE id > 990; RETURN NULL; END $$;"
        "CREATE TRIGGER again AFTER UPDATE ON public.keep_1 FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)"
        " EXECUTE FUNCTION public.again()"
    )
    with pytest.raises(NotVotedOn, match=r"It did more than was approved: .*1 was declared"):
        spoiled.judge("UPDATE keep_1 SET label = 'x' WHERE id = 1", ROUTINE)
    assert spoiled.judge("UPDATE keep_1 SET label = 'x' WHERE id = 1", DESTRUCTIVE) == [
        "updated 11 rows of public.keep_1"
    ]


@pytest.mark.parametrize(("shown", "touched", "is_more"), [(12, 20_000, True), (12, 124, False), (5_000, 9_000, False)])
def test_growth_between_vote_and_application_is_no_surplus(shown: int, touched: int, is_more: bool) -> None:
    found = above_shown({3: touched, 4: 10**6}, [RowCount(3, "deleted", "public.assignments", shown)])
    assert phrases(found) == (
        [f"deleted {touched:,} rows of public.assignments, {shown} were declared"] if is_more else []
    )


@pytest.mark.parametrize(("rows", "is_more"), [(1, False), (2, True)])
def test_the_history_gets_one_row(rows: int, is_more: bool) -> None:
    effect = Effect("inserted", "table", ("supabase_migrations", "schema_migrations"), rows=rows)
    assert bool(hidden_rows([effect], HISTORY, {HISTORY_ROW: 1})) is is_more


FACTS = CatalogFacts(
    {
        ("public", "keep"): TableFacts(1000, 8192, {"id": ColumnFacts("integer"), "v": ColumnFacts("text")}),
        ("public", "target"): TableFacts(1, 8192, {"id": ColumnFacts("integer"), "b": ColumnFacts("text")}),
        ("public", "odd"): TableFacts(1, 8192, {"e": ColumnFacts("citext"), "id": ColumnFacts("integer")}),
        ("public", "seen"): TableFacts(0, 0, {"id": ColumnFacts("integer")}),
    }
)
COUNTED = {
    "DELETE FROM keep WHERE id <= 40": 40,
    "DELETE FROM public.keep k WHERE k.id IN (SELECT id FROM target)": 1,
    "UPDATE keep SET v = 'x' WHERE v LIKE 'value 99%'": 11,
    "DELETE FROM keep USING target t WHERE keep.id = t.id AND lower(t.b) = 'one'": 1,
    "DELETE FROM keep WHERE EXISTS (SELECT * FROM target t WHERE t.id = keep.id)": 1,
    "CREATE TABLE x (a int); DELETE FROM keep WHERE id BETWEEN 1 AND 3 OR v IS NULL": 3,
}
NOT_COUNTED = [
    "DELETE FROM keep",
    "DELETE FROM keep WHERE true",
    "DELETE FROM keep WHERE wipe(id)",
    "DELETE FROM keep WHERE id OPERATOR(public.===) 1",
    "DELETE FROM keep WHERE v::mine.kind = 'x'",
    "DELETE FROM odd WHERE e = 'x'",
    "DELETE FROM keep WHERE id IN (SELECT id FROM seen)",
    "DELETE FROM keep WHERE id IN (SELECT id FROM elsewhere.t)",
    "DELETE FROM keep WHERE pg_sleep(5) IS NULL",
    "DELETE FROM keep WHERE v = current_setting('x')",
    "WITH x AS (SELECT wipe()) DELETE FROM keep WHERE id = 1",
    "UPDATE keep SET v = 'y' WHERE id IN (WITH x AS (DELETE FROM target RETURNING id) SELECT id FROM x)",
    "DELETE FROM keep WHERE id = (SELECT id FROM target FOR UPDATE)",
    "INSERT INTO keep VALUES (5000, 'x'); DELETE FROM keep WHERE id > 4000",
    "SELECT wipe(); DELETE FROM keep WHERE id = 1",
    "SET search_path = app; DELETE FROM keep WHERE id = 1",
    "DO $$ BEGIN EXECUTE current_setting('x'); END $$; DELETE FROM keep WHERE id = 1",
]


@pytest.mark.parametrize("text", COUNTED)
def test_a_condition_is_counted_beforehand(text: str, bench: Bench) -> None:
    (query,) = row_queries(text.encode(), FACTS)
    assert count_rows(bench.other, [query.text]) == [COUNTED[text]]


@pytest.mark.parametrize("text", NOT_COUNTED)
def test_what_could_run_anything_or_would_not_hold_is_not_asked(text: str) -> None:
    found = [query for query in row_queries(text.encode(), FACTS) if query.table == "public.keep"]
    assert json.dumps([query.text for query in found]) == "[]"


def test_where_row_security_hides_rows_nothing_is_counted(spoiled: Bench, bench: Bench) -> None:
    spoiled.own.execute("ALTER TABLE public.keep FORCE ROW LEVEL SECURITY")
    assert count_rows(spoiled.other, ["SELECT count(*) FROM public.keep", "SELECT count(*) FROM public.target"]) == [
        None,
        1,
    ]
