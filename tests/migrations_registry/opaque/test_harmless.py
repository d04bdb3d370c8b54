"""What looks like a hidden run and is none stays routine; and the server agrees about what is a built-in."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.model import CONVENTION, OPAQUE
from migrations_registry.analysis.postgresql import builtin_functions
from migrations_registry.analysis.postgresql.builtin_functions import is_harmless, is_harmless_operator, why_opaque
from tests.migrations_registry.effects.bench import cases

HARMLESS = cases(Path(__file__).with_name("harmless.sql"))
MEASURED = cases(Path(__file__).parents[1] / "effects" / "harmless.sql")
OUTSIDE = (
    "ts_stat|cursor_to|pg_read|pg_ls_|pg_stat_file|lo_|pg_terminate|pg_cancel|pg_reload|pg_stat_reset|pg_create_|pg_drop_"
    "|pg_logical_|pg_backup_|pg_advisory_unlock|binary_upgrade|pg_promote|pg_switch"
)
TOLD_ANYWAY = {"MC-CREATE-DOMAIN"}  # who adds a column of it waits, which is not about what it runs
# Of the proof schema's server; those that it does not ship are told by their names alone.
NAMES = """btree_gin btree_gist citext cube earthdistance fuzzystrmatch hstore intarray isn ltree moddatetime pg_trgm
pgcrypto seg tcn unaccent uuid-ossp"""
EXTENSIONS = NAMES.split()


@pytest.mark.parametrize("case", HARMLESS)
def test_a_lookalike_is_routine(case: str) -> None:
    analysis = analyse(HARMLESS[case].encode(), as_runner=True)

    assert {finding.rule for finding in analysis.findings if finding.severity != CONVENTION} <= TOLD_ANYWAY


@pytest.mark.parametrize("case", MEASURED)
def test_an_ordinary_migration_runs_nothing_opaque(case: str) -> None:
    assert [finding for finding in analyse(MEASURED[case].encode()).findings if finding.severity == OPAQUE] == []


def test_there_are_enough_lookalikes() -> None:
    assert len(HARMLESS) >= 40


def test_every_function_that_the_server_ships_is_known_harmless_or_said_why_not(proof_dsn: str) -> None:
    with psycopg.connect(proof_dsn) as connection:
        rows = connection.execute(
            "SELECT proname, bool_or(provolatile = 'v') FROM pg_proc"
            " WHERE pronamespace = 'pg_catalog'::regnamespace AND oid < 16384 GROUP BY 1"
        ).fetchall()
    calm, volatile, opaque = builtin_functions._lists()

    assert len(rows) > 2500
    assert {name for name, _ in rows} - calm - volatile - opaque.keys() == set()
    assert {name for name, moves in rows if moves} & calm == set()
    assert calm & volatile == calm & opaque.keys() == volatile & opaque.keys() == set()
    assert all(is_harmless([name]) is not bool(why_opaque([name])) for name, _ in rows)


def test_what_runs_texts_reads_files_or_signals_is_not_harmless(proof_dsn: str) -> None:
    """By the argument that is a query, and by the names of what reaches outside."""
    with psycopg.connect(proof_dsn) as connection:
        names = connection.execute(
            "SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND oid < 16384"
            " AND ('query' = ANY (proargnames) AND proallargtypes IS NULL OR proname ~ %s)",
            [f"^({OUTSIDE})"],
        ).fetchall()

    assert len(names) > 70
    assert [name for (name,) in names if is_harmless([name])] == []


def test_every_operator_that_the_server_ships_is_known(proof_dsn: str) -> None:
    with psycopg.connect(proof_dsn) as connection:
        names = connection.execute(
            "SELECT DISTINCT oprname FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace"
        ).fetchall()

    assert [name for (name,) in names if not is_harmless_operator([name])] == []


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_what_an_extension_only_answers_by_is_known(extension: str, proof_dsn: str) -> None:
    with psycopg.connect(proof_dsn) as connection:
        connection.execute(f'CREATE EXTENSION IF NOT EXISTS "{extension}" CASCADE')
        names = connection.execute(
            "SELECT p.proname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid"
            " JOIN pg_proc p ON p.oid = d.objid"
            " WHERE d.deptype = 'e' AND d.classid = 'pg_proc'::regclass AND e.extname = %s",
            [extension],
        ).fetchall()
        connection.rollback()

    assert [name for (name,) in names if not is_harmless(["extensions", name]) and not is_harmless([name])] == []


@pytest.mark.parametrize(
    "name", ["public.upper", "app.now", "extensions.lower", "uid", "dblink", "crosstab", "x.similarity"]
)
def test_a_name_is_a_builtin_only_where_it_means_one(name: str) -> None:
    assert not is_harmless(name.split("."))
