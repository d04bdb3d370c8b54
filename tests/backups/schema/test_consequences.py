"""What a statement that failed explains: what it makes, of its own table. All else of that table is told."""

from __future__ import annotations

import psycopg
import pytest

from backups.archive import schema_proof
from backups.archive.loader import Loader
from backups.policy_spec import PolicySpec
from backups.progress import SILENT
from backups.proof.prove import prove
from providers import postgres
from providers.postgres.schema.comparison import Sides, differences
from providers.postgres.schema.consequences import EXPLAINED, FOLLOWS, UNEXPLAINED, Lost
from providers.storage.base import Store
from tests.backups.conftest import exported

ALL = PolicySpec("whole", "production", ("*",))
OF_T = [
    ("column", "public.t.x"),
    ("default", "public.t.x"),
    ("constraint", "public.t.c"),
    ("trigger", "g on public.t"),
    ("policy", "p on public.t"),
    ("rule", "r on public.t"),
    ("index", "public.i"),
    ("grants", "table public.t"),
    ("comment", "table public.t"),
    ("row security", "public.t"),
    ("statistics", "public.s"),
    ("column order", "public.t"),
]
LOST = {  # a statement of t that failed: which of its rows may be otherwise
    Lost("index", "i", "public.t"): {"index"},
    Lost("foreign_key", "c", "public.t"): {"constraint"},
    Lost("primary_key", "c", "public.t"): {"constraint"},
    Lost("check", "public.t.c", "public.t"): {"constraint"},
    Lost("trigger", "g", "public.t"): {"trigger"},
    Lost("policy", "p", "public.t"): {"policy"},
    Lost("rule", "r", "public.t"): {"rule"},
    Lost("default", "public.t.x", "public.t"): {"default"},
    Lost("grants", "public.TABLE t", "public.t"): {"grants"},
    Lost("comment", "public.TABLE t", "public.t"): {"comment"},
    Lost("owner", "public.t (alice)", "public.t"): {"grants"},
    Lost("row_security", "public.t", "public.t"): {"row security"},
    Lost("statistics", "public.s", "public.t"): {"statistics"},
    Lost("computed values", "public.t", "public.t"): {"column"},
    Lost("sequence_value", "public.t_seq", "public.t"): set(),
    Lost("trigger", "other", "public.t"): set(),
    Lost("index", "i", "public.u"): set(),
    Lost("table", "public.u", "public.u"): set(),
}


@pytest.mark.parametrize("lost", LOST, ids=str)
def test_a_lost_statement_explains_its_own_object_and_no_other_of_its_table(lost: Lost) -> None:
    source = [(kind, name, "public.t", f"-- {kind}") for kind, name in OF_T]
    found = [(kind, name, of, f"{text}; -- other") for kind, name, of, text in source]

    told = differences(source, found, Sides("o", "o", lost=[lost]))

    assert {each.kind for each in told if each.reason != UNEXPLAINED} == LOST[lost] | {"column order"}
    assert len(told) == len(OF_T)


@pytest.mark.parametrize(
    ("lost", "row", "how"),
    [
        (Lost("table_attach", "public.t1", "public.t1"), ("trigger", "g on public.t1", "public.t1"), FOLLOWS),
        (Lost("bounds", "public.t1", "public.t1"), ("constraint", "public.t1.c", "public.t1"), FOLLOWS),
        (Lost("bounds", "public.t1", "public.t1"), ("policy", "p on public.t1", "public.t1"), UNEXPLAINED),
        (Lost("foreign_key", "c", "public.t"), ("constraint", "public.t1.c", "public.t1"), FOLLOWS),
        (Lost("foreign_key", "c", "public.t"), ("constraint", "public.t.c1", "public.t"), EXPLAINED),
        (Lost("foreign_key", "c", "public.t"), ("constraint", "public.t.cx", "public.t"), UNEXPLAINED),
        (Lost("function", "public.f(integer)"), ("function", "public.f(x integer)", ""), EXPLAINED),
        (
            Lost("function", "public.f(integer)"),
            ("grants", "function public.f(x integer)", "public.f(x integer)"),
            FOLLOWS,
        ),
        (Lost("type", '"A b".T x'), ("type", '"A b"."T x"', ""), EXPLAINED),
        (Lost("index", 'i"x.y', '"a.b".T'), ("index", '"a.b"."i""x.y"', '"a.b"."T"'), EXPLAINED),
        (Lost("index", "i", "a.b.T"), ("index", '"a.b".i', '"a.b"."T"'), UNEXPLAINED),
    ],
)
def test_what_is_missing_with_it(lost: Lost, row: tuple[str, str, str], how: str) -> None:
    tree = ("table", "public.t1", "", "CREATE TABLE public.t1 () INHERITS (public.t); -- FOR VALUES IN (1)")

    (told,) = differences([tree, (*row, "-- x")], [tree], Sides("o", "o", lost=[lost]))

    assert told.reason == how


def test_what_belongs_to_a_missing_object_is_told_with_it() -> None:
    source = [("table", "public.t", "", "CREATE"), *((kind, name, "public.t", "-- x") for kind, name in OF_T)]

    assert [str(each) for each in differences(source, [], Sides("o", "o"))] == ["table public.t is missing"]


def test_two_rows_of_one_name_are_both_compared() -> None:
    both = [("security label", "table public.t", "", f"{name}: 'x'") for name in ("one", "two")]

    assert differences(both, both[1:], Sides("o", "o"))
    assert not differences(both, both[::-1], Sides("o", "o"))


def test_a_function_that_only_speaks_of_ranges_is_compared() -> None:
    source = [("function", "public.f()", "", "CREATE FUNCTION … LANGUAGE sql … $function$range_constructor2$function$")]

    assert differences(source, [], Sides("o", "o"))


FAILS = "RAISE division_by_zero"
F = "CREATE OR REPLACE FUNCTION f(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN {}; END $$;"
GUARDED = (
    "CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';"
    "CREATE TABLE a(id int PRIMARY KEY); INSERT INTO a VALUES (1), (2);"
    "CREATE TABLE t(x int REFERENCES a) {}; {}"
    "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION guard();"
    "INSERT INTO t VALUES (1), (2);"
)


@pytest.mark.slow
def test_what_a_detached_partition_lost_with_its_place_is_named(database, store: Store, drill) -> None:
    parts = "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t2 PARTITION OF t FOR VALUES IN (2);"
    source = database(F.format("RETURN x") + GUARDED.format("PARTITION BY LIST (f(x))", parts) + F.format("RETURN 9"))

    verdict = prove(exported(source, store, ALL), store, server=drill)

    assert (verdict.status, verdict.reasons) == ("proven", [])
    assert {
        f"{what} is missing ({FOLLOWS})" for what in ("trigger g on public.t1", "constraint public.t2.t_x_fkey")
    } <= {*verdict.missing}


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE t DISABLE TRIGGER g",
        "DROP TRIGGER g ON t",
        "ALTER TABLE t DROP CONSTRAINT t_x_fkey",
        "ALTER TABLE t ALTER x SET DEFAULT 7",
        "GRANT SELECT ON t TO PUBLIC",
        "CREATE POLICY p ON t",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "COMMENT ON TABLE t IS 'x'",
        "ALTER TABLE t ADD y int",
        "CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING",
    ],
)
def test_beside_a_lost_index_every_other_difference_of_the_table_is_told(
    change: str, database, empty_database: str, store: Store
) -> None:
    source = database(F.format("RETURN x") + GUARDED.format("", "CREATE INDEX lost ON t(f(x));") + F.format(FAILS))
    manifest = exported(source, store, ALL)
    with postgres.connect(empty_database, read_only=False) as connection:
        loader = Loader(manifest, store, connection, (), SILENT, lenient=True)
        loader.build("before", everything=True)
        loader.load_all(manifest.tables)
        loader.build("after", everything=True)
        with psycopg.connect(empty_database, autocommit=True) as other:
            other.execute(change.encode())

        found = schema_proof.compare(loader, str(connection.info.user))

    assert [each.reason for each in found if each.name == "public.lost"] == [EXPLAINED]
    assert [each for each in found if not each.reason]
