"""More ways around the guard: what is put back before COMMIT, what ends with the session, what no row count tells."""

from __future__ import annotations

import psycopg
import pytest

from migrations_registry.analysis.model import DESTRUCTIVE
from migrations_registry.apply.measured import MoreThanApproved
from providers import postgres
from providers.errors import Refused
from providers.postgres.migrate.effects import measure
from tests.migrations_registry.effects.bench import Bench
from tests.migrations_registry.effects.more_ways import BY_A_SUPERUSER, GONE, WAYS, WIPE


@pytest.mark.parametrize("way", WAYS)
def test_it_is_seen_before_commit(way: str, spoiled: Bench) -> None:
    statements, wanted = WAYS[way]
    before = spoiled.state()
    try:
        said = spoiled.surplus(*statements)
    except psycopg.Error as refused:  # the server itself does not let it happen
        said = [f"{wanted}: {refused}"] if "not allowed in a non-volatile function" in str(refused) else [str(refused)]
    assert any(phrase.startswith(wanted) for phrase in said), said
    assert spoiled.state() == before


@pytest.mark.parametrize("way", BY_A_SUPERUSER)
def test_it_is_seen_of_a_superuser_too(way: str, superuser: Bench) -> None:
    statements, wanted = BY_A_SUPERUSER[way]
    said = superuser.surplus(*statements)
    assert any(wanted in phrase for phrase in said), said


@pytest.mark.parametrize("end", ["COMMIT AND CHAIN", "ROLLBACK AND CHAIN", "COMMIT; BEGIN", "ABORT AND CHAIN"])
def test_a_file_that_ends_the_transaction_is_noticed(end: str, spoiled: Bench) -> None:
    with pytest.raises(Refused, match="ended the transaction that was begun for it"):
        spoiled.effects("DELETE FROM public.children", *end.split("; "), "SELECT 1")


def test_what_ends_with_the_session_is_never_declared(spoiled: Bench) -> None:
    """The column would be there after COMMIT, and gone when the runner's session ends."""
    text = "CREATE DOMAIN pg_temp.d AS text; ALTER TABLE keep ALTER COLUMN label TYPE pg_temp.d"
    with pytest.raises(MoreThanApproved, match=r"tied table column public\.keep\.label to something temporary"):
        spoiled.judge(text, DESTRUCTIVE)


def test_own_temporary_objects_are_nobodys_concern(bench: Bench) -> None:
    text = (
        "CREATE TYPE pg_temp.pair AS (a int); CREATE TEMP TABLE passing (p pg_temp.pair, n serial);"
        "CREATE FUNCTION pg_temp.f(int) RETURNS int LANGUAGE sql AS 'SELECT $1';"
        "INSERT INTO passing (n) SELECT pg_temp.f(id) FROM keep; DROP TABLE passing"
    )
    assert bench.judge(text, DESTRUCTIVE) == []


def test_a_commit_is_on_disk_whatever_the_file_sets(spoiled: Bench) -> None:
    spoiled.commit("SET synchronous_commit = off", "CREATE TABLE public.fresh (id int)")
    assert spoiled.own.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_a_refresh_that_deletes_is_seen(spoiled: Bench) -> None:
    spoiled.own.execute(WIPE)
    spoiled.own.execute("CREATE MATERIALIZED VIEW public.m AS SELECT public.wipe() AS n WITH NO DATA")
    assert GONE in spoiled.surplus("REFRESH MATERIALIZED VIEW public.m")


def test_two_transactions_of_one_session_do_not_mix(spoiled: Bench) -> None:
    """What the first left in the session (path, temporary names) does not blind the second."""
    spoiled.commit(
        "CREATE TEMP TABLE pg_class (LIKE pg_catalog.pg_class)",
        "CREATE TEMP TABLE keep (id int)",
        "SELECT pg_catalog.set_config('search_path', 'pg_temp, public', false)",
    )
    with spoiled.transaction() as begun:
        spoiled.own.execute("DELETE FROM public.children")
        changes = measure(spoiled.own, spoiled.other, begun).changes
    assert [(each.verb, each.rows) for each in changes] == [("deleted", 50)]
    assert postgres.facts(spoiled.own).session_mode
