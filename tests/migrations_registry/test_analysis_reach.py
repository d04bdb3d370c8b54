"""What a statement locks and reads besides what it names: parents of foreign keys, DEFAULT and attached partitions."""

from __future__ import annotations

import itertools

import psycopg
import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.model import AX
from migrations_registry.services.live_facts import facts_of
from providers.postgres.schema.live_facts import read_live

HELD = (
    "SELECT array_agg(c.relname ORDER BY c.relname) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
    " WHERE l.pid = pg_backend_pid() AND l.mode = 'AccessExclusiveLock' AND c.relkind IN ('r', 'p')"
    " AND c.relnamespace = 'public'::regnamespace AND c.oid < (SELECT oid FROM pg_class WHERE relname = 'last_one')"
)
FAMILY = """CREATE TABLE father (id int PRIMARY KEY, code int UNIQUE); CREATE TABLE mother (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, f int, m int, n int,
    CONSTRAINT of_father FOREIGN KEY (f) REFERENCES father (id), CONSTRAINT of_mother FOREIGN KEY (m) REFERENCES mother,
    CONSTRAINT own CHECK (n > 0), CONSTRAINT itself FOREIGN KEY (n) REFERENCES child (id));
CREATE TABLE last_one ();"""
ENDS = (
    "DROP TABLE child",
    "DROP TABLE child, father",
    "DROP TABLE child, father, mother",
    "ALTER TABLE child DROP COLUMN f",
    "ALTER TABLE child DROP COLUMN n",
    "ALTER TABLE child DROP COLUMN f, DROP COLUMN m",
    "ALTER TABLE child DROP CONSTRAINT of_father",
    "ALTER TABLE child DROP CONSTRAINT own",
    "ALTER TABLE child DROP CONSTRAINT itself",
    "DO $$ BEGIN ALTER TABLE child DROP CONSTRAINT of_mother; END $$",
    "ALTER TABLE child ADD CONSTRAINT more FOREIGN KEY (n) REFERENCES mother (id) NOT VALID; DROP TABLE child",
)


@pytest.mark.parametrize("text", ENDS)
def test_every_table_that_is_locked_is_named(text: str, proof_dsn: str) -> None:
    with psycopg.connect(proof_dsn, autocommit=True) as connection:
        connection.execute(FAMILY)  # for good: in the same transaction its own locks would hide the others
        try:
            facts = facts_of(read_live(connection))
            with connection.transaction(force_rollback=True):
                connection.execute(text.encode())
                held = connection.execute(HELD).fetchone()
        finally:
            connection.execute("DROP TABLE child, father, mother, last_one")

    found = analyse(text.encode(), facts=facts)
    told = {each.name[1] for statement in found.statements for each in statement.objects if each.lock == AX}
    dropped = set(text.rpartition("DROP TABLE ")[2].split(", ")) if "DROP TABLE" in text else set()
    assert held is not None
    assert told == set(held[0] or ()) | dropped
    assert all(any(name in finding.message for finding in found.findings) for name in told - dropped)


BOUNDS = {
    "FROM (10) TO (20)": ("at IS NOT NULL AND at >= 10 AND at < 20", "at >= 10 AND at < 20", "at >= 5 AND at < 20"),
    "FROM (MINVALUE) TO (20)": (
        "at IS NOT NULL AND at < 20",
        "20 > at AND at IS NOT NULL",
        "at IS NOT NULL AND at < 21",
    ),
    "FROM (10) TO (MAXVALUE)": ("at IS NOT NULL AND at >= 10", "at > 10 AND at IS NOT NULL", "at IS NOT NULL"),
    "IN (10, 11)": (
        "at IS NOT NULL AND at IN (10, 11)",
        "at IS NOT NULL AND at = 10",
        "at IS NOT NULL AND at IN (9, 10)",
    ),
}
TEMPLATES = ("{0}", "NOT ({0})", "{0} AND n > 0", "({0}) OR n > 0")
CASES = [
    (bound, template.format(says))
    for bound, all_say in BOUNDS.items()
    for says, template in itertools.product(all_say, TEMPLATES)
]
READ = "SELECT pg_stat_get_xact_numscans(%s::regclass)"


def measured(dsn: str, made: str, text: str, table: str) -> tuple[CatalogFacts, bool] | None:
    """Live facts before a file of one CHECK and one statement, and whether it reads `table`; None: refused."""
    with psycopg.connect(dsn) as connection:
        connection.execute(made.encode())
        facts = facts_of(read_live(connection))
        check, statement = text.split("; ")
        try:
            connection.execute(check.encode())
            before = connection.execute(READ, [table]).fetchone()
            connection.execute(statement.encode())
            after = connection.execute(READ, [table]).fetchone()
        except psycopg.errors.CheckViolation:
            return None
        finally:
            connection.rollback()
    return facts, before != after


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("bound", "says"), CASES)
def test_no_partition_is_read_that_was_said_not_to_be(bound: str, says: str, proof_dsn: str) -> None:
    way = "LIST" if bound.startswith("IN") else "RANGE"
    made = f"CREATE TABLE p (at int, n int) PARTITION BY {way} (at); CREATE TABLE p1 (at int, n int)"
    made += "; CREATE TABLE rest PARTITION OF p DEFAULT"
    attach = f"ALTER TABLE p1 ADD CONSTRAINT c CHECK ({says}); ALTER TABLE p ATTACH PARTITION p1 FOR VALUES {bound}"
    create = f"ALTER TABLE rest ADD CONSTRAINT c CHECK ({says}); CREATE TABLE p2 PARTITION OF p FOR VALUES {bound}"

    for text, table, rule in ((attach, "p1", "ML-ATTACH"), (create, "rest", "ML-DEFAULT-PARTITION")):
        seen = measured(proof_dsn, made, text, table)
        assert seen is not None
        facts, is_read = seen
        told = rule in {finding.rule for finding in analyse(text.encode(), facts=facts).findings}
        assert told or not is_read


RECIPES = {
    "ML-ATTACH": (
        "ALTER TABLE p1 ADD CONSTRAINT c CHECK (at IS NOT NULL AND at >= 10 AND at < 20); "
        "ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM (10) TO (20)"
    ),
    "ML-DEFAULT-PARTITION": (
        "ALTER TABLE rest ADD CONSTRAINT c CHECK (NOT (at IS NOT NULL AND at >= 10 AND at < 20)); "
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)"
    ),
}


@pytest.mark.parametrize("rule", RECIPES)
def test_the_recipe_reads_nothing_and_is_known(rule: str, proof_dsn: str) -> None:
    made = "CREATE TABLE p (at int) PARTITION BY RANGE (at); CREATE TABLE p1 (at int); CREATE TABLE rest "
    seen = measured(proof_dsn, f"{made} PARTITION OF p DEFAULT", RECIPES[rule], "p1" if rule == "ML-ATTACH" else "rest")

    assert seen is not None
    facts, is_read = seen
    assert not is_read
    assert rule not in {finding.rule for finding in analyse(RECIPES[rule].encode(), facts=facts).findings}


UNKNOWN = {
    "CREATE TABLE x PARTITION OF p FOR VALUES FROM (1) TO (2)": True,
    "CREATE TABLE x PARTITION OF p FOR VALUES IN ('a')": True,
    "CREATE TABLE IF NOT EXISTS d PARTITION OF p DEFAULT; CREATE TABLE x PARTITION OF p FOR VALUES IN ('a')": True,
    "CREATE TABLE x PARTITION OF p DEFAULT": False,
    "CREATE TABLE x PARTITION OF p FOR VALUES WITH (MODULUS 4, REMAINDER 0)": False,
    "CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE x PARTITION OF p FOR VALUES FROM (1) TO (2)": False,
    "CREATE TABLE d PARTITION OF p DEFAULT; CREATE TABLE x PARTITION OF p FOR VALUES FROM (1) TO (2)": False,
}


@pytest.mark.parametrize("text", UNKNOWN)
def test_a_default_partition_that_nobody_knows_of_may_be_there(text: str) -> None:
    found = {finding.rule for finding in analyse(text.encode()).findings}

    assert ("ML-DEFAULT-PARTITION" in found) == UNKNOWN[text]


POLICIES = {
    "CREATE POLICY p ON own USING (id IN (SELECT id FROM own WHERE n = 4))": True,
    "CREATE POLICY p ON own FOR SELECT USING (EXISTS (SELECT FROM own o WHERE o.n = own.id))": True,
    "CREATE POLICY p ON own FOR DELETE USING (id IN (SELECT id FROM own))": False,
    "CREATE POLICY p ON own USING (id IN (SELECT id FROM customers))": False,
}


@pytest.mark.parametrize("text", POLICIES)
def test_a_policy_that_reads_its_own_table_lets_nobody_read(text: str, proof_dsn: str) -> None:
    fails = False
    with psycopg.connect(proof_dsn) as connection, connection.transaction(force_rollback=True):
        connection.execute("CREATE TABLE own (id int, n int); ALTER TABLE own FORCE ROW LEVEL SECURITY")
        connection.execute(
            "ALTER TABLE own ENABLE ROW LEVEL SECURITY; CREATE ROLE reader; GRANT reader TO CURRENT_USER"
        )
        connection.execute("GRANT SELECT ON own, customers TO reader")
        connection.execute(text.encode())
        connection.execute("SET ROLE reader")
        try:
            connection.execute("SELECT * FROM own")
        except psycopg.errors.InvalidObjectDefinition:
            fails = True

    assert fails is POLICIES[text]
    assert ("MC-POLICY-RECURSES" in {each.rule for each in analyse(text.encode()).findings}) is fails
