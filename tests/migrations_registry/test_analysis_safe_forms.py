"""Advice is written as files: each goes through our own analysis, as the registry applies it, and stops nobody."""

from __future__ import annotations

import psycopg
import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.model import BLOCKING, COMPATIBILITY, CONVENTION, DATA, EXECUTION
from migrations_registry.analysis.parsing.parser import Raw, parse
from migrations_registry.analysis.plan import plan
from migrations_registry.analysis.rules.safe_form import files
from migrations_registry.backfill.statement import batched
from migrations_registry.services.live_facts import facts_of
from providers.postgres.schema.live_facts import read_live

DANGEROUS = {
    "ALTER TABLE orders ADD CONSTRAINT x CHECK (amount >= 0)": 2,
    "ALTER TABLE orders ALTER COLUMN code SET NOT NULL": 3,
    "ALTER TABLE orders ADD CONSTRAINT x FOREIGN KEY (customer_id) REFERENCES customers (id)": 2,
    "ALTER TABLE orders ADD CONSTRAINT x UNIQUE (code)": 1,
    "ALTER TABLE keyless ADD CONSTRAINT x PRIMARY KEY (ref)": 3,
    "CREATE INDEX x ON orders (note)": 1,
    "CREATE UNIQUE INDEX x ON orders (code)": 1,
    "DROP INDEX orders_note_idx": 1,
    "REINDEX INDEX orders_note_idx": 1,
    "ALTER TABLE events ATTACH PARTITION events_new FOR VALUES FROM (100) TO (200)": 2,
    "ALTER TABLE events ATTACH PARTITION events_new FOR VALUES FROM (100) TO (MAXVALUE)": 2,
    "CREATE TABLE x PARTITION OF metered FOR VALUES FROM (100) TO (200)": 2,
}


@pytest.mark.parametrize("text", DANGEROUS)
def test_each_file_of_a_safe_form_is_routine_and_applies(text: str, copy_dsn: str) -> None:
    with psycopg.connect(copy_dsn, autocommit=True) as connection:
        before = analyse(text.encode(), as_runner=True, facts=facts_of(read_live(connection)))
        (form,) = {each.safe_form for each in before.findings if each.severity == BLOCKING}
        written = files(form)
        for file in written:
            analysis = analyse(file.encode(), as_runner=True, facts=facts_of(read_live(connection)))
            assert {finding.severity for finding in analysis.findings} <= {CONVENTION}, file
            assert plan(analysis).refusals == ()
            for piece in parse(file.encode()):
                assert isinstance(piece, Raw)
                connection.execute(file.encode()[piece.start : piece.end])
    assert len(written) == DANGEROUS[text]


@pytest.mark.parametrize("text", DANGEROUS)
def test_without_a_live_catalogue_it_still_stops_nobody(text: str) -> None:
    before = analyse(text.encode(), as_runner=True)
    forms = {each.safe_form for each in before.findings if each.severity == BLOCKING}

    found = [each for form in forms for file in files(form) for each in analyse(file.encode(), as_runner=True).findings]
    assert {each.severity for each in found} <= {CONVENTION, COMPATIBILITY}
    assert not any(each.severity in (DATA, EXECUTION) for each in found)


PARTITIONS = {
    "ALTER TABLE events ATTACH PARTITION events_new FOR VALUES FROM (100) TO (200)": "partition_key in each",
    "CREATE TABLE x PARTITION OF metered FOR VALUES FROM (100) TO (200)": "partition_key and default_partition in each",
    "CREATE TABLE p (at int) PARTITION BY RANGE (at); ALTER TABLE p ATTACH PARTITION events_new FOR VALUES "
    "FROM (100) TO (200)": "",
    "ALTER TABLE p ATTACH PARTITION q FOR VALUES WITH (MODULUS 4, REMAINDER 0)": "No simple CHECK",
    "ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (1, 2) TO (3, 4)": "No simple CHECK",
    "ALTER TABLE p ATTACH PARTITION q DEFAULT": "No simple CHECK",
}


@pytest.mark.parametrize("text", PARTITIONS)
def test_what_only_a_live_catalogue_knows_is_named_in_the_form(text: str) -> None:
    found = analyse(text.encode(), as_runner=True).findings
    form = next(each.safe_form for each in found if each.rule in ("ML-ATTACH", "ML-DEFAULT-PARTITION"))

    assert PARTITIONS[text] in form
    assert ("partition_key" in form, "…" in form) == ("partition_key" in PARTITIONS[text], False)


def test_the_form_with_real_names_reads_nothing_and_is_known_without_a_live_catalogue(copy_dsn: str) -> None:
    found = analyse(b"ALTER TABLE events ATTACH PARTITION events_new FOR VALUES FROM (100) TO (200)").findings
    (form,) = {each.safe_form for each in found if each.rule == "ML-ATTACH"}
    first, second = (file.replace("partition_key", "at") for file in files(form))
    with psycopg.connect(copy_dsn) as connection:
        connection.execute(first.encode())
        connection.commit()
        check, attach, *_ = second.split(";\n")
        connection.execute(check.encode())
        before = connection.execute(READS).fetchone()
        connection.execute(attach.encode())

        assert connection.execute(READS).fetchone() == before
    assert not {each.rule for each in analyse(second.encode()).findings} & {"ML-ATTACH", "ML-DEFAULT-PARTITION"}


SHOWN = (
    "ALTER TABLE q ADD CONSTRAINT q_bounds CHECK (true) NOT VALID; ALTER TABLE q VALIDATE CONSTRAINT q_bounds",
    "ALTER TABLE q ADD CONSTRAINT q_bounds CHECK (a > 0)",
    "ALTER TABLE r VALIDATE CONSTRAINT r_bounds",
    "ALTER TABLE q VALIDATE CONSTRAINT q_other",
)


@pytest.mark.parametrize("text", SHOWN)
def test_a_name_proves_nothing_of_what_the_file_shows_otherwise(text: str) -> None:
    attach = "ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (1) TO (2)"

    assert "ML-ATTACH" in {each.rule for each in analyse(f"{text}; {attach}".encode()).findings}


READS = "SELECT pg_stat_get_xact_numscans('events_new'::regclass)"
FILLS = {
    "ALTER TABLE orders ADD COLUMN x int; UPDATE orders SET x = 1": '"x" IS NULL',
    'ALTER TABLE orders ADD COLUMN "X y" int, ADD COLUMN z int; UPDATE orders SET "X y" = 1, z = 2': '"X y" IS NULL',
    "UPDATE orders SET note = 'x'": "SET note = 'x'",
    "UPDATE orders SET note = 'x' WHERE true": "WHERE ( true",
}


@pytest.mark.parametrize("text", FILLS)
def test_an_update_of_a_whole_table_is_rewritten_into_the_file_of_a_backfill(text: str) -> None:
    before = analyse(text.encode(), as_runner=True)

    (form,) = {each.safe_form for each in before.findings if each.rule in ("ML-UPDATE-FILL", "MD-UPDATE-ALL")}

    assert "migrations.backfill" in form
    assert FILLS[text] in batched(form.encode()).text(b"K").decode()
    if "ADD COLUMN" in text:
        after = analyse(form.encode(), as_runner=True)
        assert not {each.severity for each in after.findings} - {CONVENTION}


HEADER = """--
-- PostgreSQL database dump
--

\\restrict aB3c

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET row_security = off;
CREATE TABLE public.t (a int PRIMARY KEY);

\\unrestrict aB3c
"""


def test_a_dump_is_read_without_what_it_says_to_psql() -> None:
    analysis = analyse(HEADER.encode(), as_runner=True)
    whole = plan(analysis)

    run = [analysis.statements[number].sql for step in whole.steps for number in step.statements]
    assert (analysis.risk, whole.refusals) == ("routine", ())
    assert not [text for text in run if "timeout" in text or "restrict" in text]
    assert {"MP-RESTRICT", "MT-DUMP-HEADER"} <= {finding.rule for finding in analysis.findings}


TO_PSQL = (
    "\\set ON_ERROR_STOP 1\n{}",
    "  \\set ON_ERROR_STOP on\r\n{}",
    "-- why\n\\set ON_ERROR_STOP\n{}",
    "/* a */\n\\echo it's ready; go\n{}",
    "\\timing on\n\\pset pager off\n\\set QUIET 1\n\\encoding UTF8\n{}",
    "SELECT 1;\n\\restrict a1\n{}",
    "SELECT ';' AS \"\\set\";\n\\qecho next\n{}\n\\unrestrict a1",
    "DO $$ BEGIN\n\\x\nEND $$;\n\\x\n{}",
)
PSQL = (
    "\\unset ON_ERROR_STOP\nSELECT 1;",
    "\\set ON_ERROR_STOP off\nSELECT 1;",
    "\\set AUTOCOMMIT off\nSELECT 1;",
    "\\set name value\nSELECT 1;",
    "\\encoding latin1\nSELECT 1;",
    "\\echo `rm x`\nSELECT 1;",
    "\\echo a \\i other.sql\nSELECT 1;",
    "\\restrict a1; DROP TABLE t\nSELECT 1;",
    "\\restrict a1\n\\i other.sql\nSELECT 1;",
)


@pytest.mark.parametrize("text", TO_PSQL)
def test_what_only_speaks_to_psql_is_left_out_with_a_note(text: str) -> None:
    data = text.format("DROP TABLE t;").encode()
    analysis = analyse(data, as_runner=True)

    assert analysis.statements[-1].sql == "DROP TABLE t"
    assert analysis.risk == "destructive"
    assert "MP-RESTRICT" in {finding.rule for finding in analysis.findings}
    assert "MP-META" not in {finding.rule for finding in analysis.findings}


@pytest.mark.parametrize("text", PSQL)
def test_what_psql_would_act_upon_stays_a_command_of_psql(text: str) -> None:
    assert "MP-META" in {finding.rule for finding in analyse(text.encode()).findings}


OFF = "SET lock_timeout = 0; SET client_encoding = 'UTF8'; SET idle_in_transaction_session_timeout TO '0'; SELECT 1"


def test_the_runner_leaves_out_a_limit_that_a_file_switches_off() -> None:
    analysis = analyse(OFF.encode(), as_runner=True)
    whole = plan(analysis)

    run = [analysis.statements[number].sql for step in whole.steps for number in step.statements]
    assert (run, whole.refusals) == (["SET client_encoding = 'UTF8'", "SELECT 1"], ())
    assert [finding.rule for finding in analysis.findings] == ["MT-DUMP-HEADER", "MT-DUMP-HEADER"]


def test_to_whoever_runs_it_otherwise_the_limit_is_still_told() -> None:
    assert "MT-TIMEOUT-OFF" in {finding.rule for finding in analyse(OFF.encode()).findings}


def test_what_gives_every_limit_back_is_still_refused() -> None:
    whole = plan(analyse(b"RESET ALL; ALTER TABLE t ADD COLUMN x int", as_runner=True))

    assert whole.refusals == ("line 1 switches the runner's limits off (MT-TIMEOUT-OFF)",)


EMPTY = ["", "-- nothing yet\n", "/* a */ ; ;", "BEGIN; COMMIT", "\\set ON_ERROR_STOP 1\n"]


@pytest.mark.parametrize("text", EMPTY)
def test_a_file_without_a_statement_is_one_step_that_writes_its_row(text: str) -> None:
    whole = plan(analyse(text.encode(), as_runner=True))

    assert (whole.refusals, whole.risk) == ((), "routine")
    assert [(step.statements, step.transactional) for step in whole.steps] == [((), True)]
    assert whole.steps[0].title == "No statement: only its row in the migration history is written"
