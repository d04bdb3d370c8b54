"""What a product's own code does to the drill cannot turn a verdict: not its rows, its settings, nor its check."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from backups.proof.prove import prove
from providers.storage.base import Store
from tests.backups.cell.conftest import Drilled
from tests.backups.cell.escapes import ESCAPES
from tests.backups.conftest import exported

# What a check does in the drill, and whether the rows are still the snapshot's.
DOES = {
    "alters a row": ("UPDATE public.other SET word = 'mended'", False),
    "removes a row": ("DELETE FROM public.other WHERE word = 'broken'", False),
    "adds a row": ("INSERT INTO public.other VALUES ('invented')", False),
    "puts another table there": (
        "DROP TABLE public.other; CREATE TABLE public.other AS SELECT 'mended'::text word",
        False,
    ),
    "puts a view there": (
        "ALTER TABLE public.other RENAME TO hidden; CREATE VIEW public.other AS SELECT * FROM public.hidden",
        False,
    ),
    "alters a row and shadows what counts": (
        "UPDATE public.other SET word = 'mended'; CREATE FUNCTION public.hash_record_extended(record, bigint)"
        " RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN 0; END'; CREATE FUNCTION public.set_config(text, text, bool)"
        " RETURNS text LANGUAGE sql AS 'SELECT $1'; PERFORM pg_catalog.set_config('search_path', 'public', false);"
        " ALTER ROLE CURRENT_USER SET search_path = public",
        False,
    ),
    "changes settings": (
        "PERFORM set_config('search_path', 'public', false), set_config('bytea_output', 'escape', false),"
        " set_config('timezone', 'Asia/Tokyo', false), set_config('extra_float_digits', '-10', false)",
        True,
    ),
    "makes a table like a catalog's": ("CREATE TEMP TABLE pg_class (oid oid, relname name, relnamespace oid)", True),
    "says nothing but that": ("RAISE NOTICE 'here'", True),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("deed", DOES)
def test_rows_are_compared_after_everything_of_the_product_ran(
    empty_database: str, drilled: Drilled, deed: str
) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE TABLE public.other (word text); INSERT INTO public.other VALUES ('broken'), ('b')")
        connection.execute(
            "CREATE FUNCTION public.act(int) RETURNS bool LANGUAGE plpgsql AS $f$ BEGIN IF"
            f" pg_catalog.current_database() LIKE 'drill%' THEN {DOES[deed][0]}; END IF; RETURN true; END $f$"
        )
        connection.execute("CREATE TABLE public.carrier (id int CHECK (public.act(id)))")
        connection.execute("INSERT INTO public.carrier VALUES (1)")

    seen = drilled(empty_database)

    assert seen.verdict is not None
    assert seen.verdict.status == ("proven" if DOES[deed][1] else "failed")
    assert all("public.other" in problem or "other/" in problem for problem in seen.verdict.problems)


def test_what_the_owner_may_not_make_is_said_and_the_rows_are_proven(empty_database: str, drilled: Drilled) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE EXTENSION dblink; CREATE EXTENSION citext; CREATE EXTENSION pg_trgm")
        connection.execute("CREATE FUNCTION public.in_c() RETURNS trigger LANGUAGE c AS '$libdir/autoinc', 'autoinc'")
        connection.execute("CREATE FUNCTION public.sealed(int) RETURNS int LANGUAGE sql LEAKPROOF AS 'SELECT $1'")
        connection.execute(
            "CREATE FUNCTION public.quiet() RETURNS int LANGUAGE sql SET log_statement = 'none' AS 'SELECT 1'"
        )
        connection.execute("CREATE TABLE public.carrier (word citext); INSERT INTO public.carrier VALUES ('One')")

    seen = drilled(empty_database)

    assert seen.verdict is not None
    assert seen.verdict.reasons == []
    left_out = "What only a superuser may make is left out of a drill."
    assert sorted(seen.verdict.missing) == [
        f"The extension dblink could not be rebuilt: insufficient privilege (42501). {left_out}",
        f"The function public.in_c() could not be rebuilt: insufficient privilege (42501). {left_out}",
        "The function public.sealed(integer) could not be rebuilt: insufficient privilege (42501): only superuser can"
        f" define a leakproof function. {left_out}",
    ]
    assert set(seen.verdict.missing) <= set(seen.log)


def test_the_products_own_check_gets_nowhere_either(sampelit_copy, store: Store, drill) -> None:
    ways = [way.replace("FILE", "/etc/passwd").replace("NEW", "/nonexistent/new") for way in ESCAPES.values()]
    alters = "UPDATE public.algorithm_audit_trail SET conversion_value = 1"
    body = sql.SQL(
        "CREATE OR REPLACE FUNCTION public.verify_audit_chain(uuid) RETURNS TABLE (is_valid bool) LANGUAGE plpgsql AS"
        " {}"
    ).format(
        sql.Literal(
            "DECLARE way text; BEGIN FOREACH way IN ARRAY "
            + sql.Literal([*ways, alters]).as_string()
            + "::text[] LOOP BEGIN EXECUTE way; is_valid := false; RETURN NEXT; EXCEPTION WHEN OTHERS THEN"
            " is_valid := true; RETURN NEXT; END; END LOOP; END"
        )
    )
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        connection.execute("DROP FUNCTION public.verify_audit_chain(uuid) CASCADE")
        connection.execute(body)
    manifest = exported(sampelit_copy["export"], store)

    verdict = prove(manifest, store, server=drill)

    said = verdict.examined.verifier
    assert (verdict.reasons, said["problem"], said["invalid"]) == ([], "", 0)
    assert said["rows"] == 4 * (len(ways) + 1)
