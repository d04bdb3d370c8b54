"""EXECUTE of a text that is put together: loops through known numbers, and tables whose names alone are not known."""

from __future__ import annotations

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.model import DESTRUCTIVE
from migrations_registry.analysis.risk import ROUTINE, SENSITIVE, risk_of

RANGE = "PARTITION OF clicks FOR VALUES FROM (%L) TO (%L)"
PARENT = "CREATE TABLE clicks (at date) PARTITION BY RANGE (at); "
BODIES = {
    f"FOR m IN 1..12 LOOP EXECUTE format('CREATE TABLE c_%s {RANGE}', lpad(m::text, 2, '0'), f, f); END LOOP": ROUTINE,
    f"FOR m IN REVERSE 12..1 BY 2 LOOP EXECUTE format('CREATE TABLE clicks_%s {RANGE}', m, f, f); END LOOP": ROUTINE,
    "FOR m IN 0..7 LOOP EXECUTE format('CREATE TABLE h_%s PARTITION OF hashed FOR VALUES WITH (MODULUS 8, REMAINDER "
    "%s)', m, m); END LOOP": ROUTINE,
    f"EXECUTE format('CREATE TABLE clicks_%s {RANGE}', to_char(f, 'YYYY_MM'), f, f)": ROUTINE,
    f"EXECUTE format('CREATE TABLE clicks_%s {RANGE}', n, f, f)": ROUTINE,
    f"EXECUTE format('CREATE TABLE IF NOT EXISTS %I {RANGE}', t, f, f)": ROUTINE,
    "EXECUTE 'CREATE TABLE ' || quote_ident(t) || ' PARTITION OF clicks FOR VALUES FROM (' || quote_literal(f) || ') "
    "TO (' || quote_literal(f + 30) || ')'": ROUTINE,
    "FOR m IN 1..3 LOOP EXECUTE format('DROP TABLE t_%s', m); END LOOP": "MD-DROP-TABLE",
    "FOR m IN 1..3 LOOP EXECUTE format('ALTER TABLE t_%s ADD x int NOT NULL', m); END LOOP": SENSITIVE,
    "FOR m IN 1..n LOOP EXECUTE format('DROP TABLE t_%s', m); END LOOP": "MX-DYNAMIC",
    "FOR m IN 1..9000 LOOP EXECUTE format('ALTER TABLE t_%s ADD x int', m); END LOOP": "MX-DYNAMIC",
    f"EXECUTE format('CREATE TABLE clicks_%s {RANGE}', t, f, f)": "MX-DYNAMIC",
    f"EXECUTE format('CREATE TABLE clicks_%s {RANGE}', to_char(f, t), f, f)": "MX-DYNAMIC",
    f"EXECUTE format('CREATE TABLE clicks_%s {RANGE}', to_char(f, '\"; DROP TABLE x\"'), f, f)": "MX-DYNAMIC",
    f"EXECUTE format('CREATE TABLE %I.clicks {RANGE}', t, f, f)": "MX-DYNAMIC",
    f"EXECUTE format('CREATE TABLE %I {RANGE}; DROP TABLE y', t, f, f)": "MD-DROP-TABLE",
    f"EXECUTE format('CREATE TABLE %I {RANGE}; DROP TABLE %I', t, f, f, t)": "MX-DYNAMIC",
    f"EXECUTE format('CREATE TABLE %I {RANGE}', t, f, unseen())": "MX-UNSEEN-CALL",
    "EXECUTE format('CREATE TABLE %I (a int DEFAULT %I())', t, t)": "MX-DYNAMIC",
    "EXECUTE format('CREATE TABLE %I (a %I)', t, t)": "MX-DYNAMIC",
    "EXECUTE format('CREATE TABLE %I AS SELECT unseen()', t)": "MX-DYNAMIC",
    "EXECUTE format('DROP TABLE %I', t)": "MX-DYNAMIC",
    "EXECUTE quote_ident(t)": "MX-DYNAMIC",
    "EXECUTE replace(t, 'a', 'b')": "MX-DYNAMIC",
    "EXECUTE format('%s', to_char(f, 'YYYY'))": "MX-DYNAMIC",
    "EXECUTE format('GRANT CONNECT ON DATABASE %I TO app', current_database())": ROUTINE,
    "EXECUTE format('COMMENT ON DATABASE %I IS %L', current_database(), t)": ROUTINE,
    "EXECUTE format('ALTER DATABASE %I SET timezone TO %L', current_database(), 'UTC')": SENSITIVE,
    "EXECUTE format('GRANT ALL ON DATABASE %I TO app', current_database())": "MS-GRANT-WIDE",
    "EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', t, t)": "MX-DYNAMIC",
    "EXECUTE format('GRANT SELECT ON %I TO app', t)": "MX-DYNAMIC",
    "EXECUTE format('ALTER DATABASE %I SET %I TO 1', t, t)": "MX-DYNAMIC",
    "EXECUTE format('COMMENT ON TABLE %I IS %L', t, t)": "MX-DYNAMIC",
    "EXECUTE format('DROP DATABASE %I', t)": "MX-DYNAMIC",
    "EXECUTE format('CREATE TABLE %I (a int)', t); DROP TABLE \"…\"": "MD-DROP-TABLE",
}
TWICE = (
    "DO $$ DECLARE m text; BEGIN FOR m IN 1..3 LOOP NULL; END LOOP; EXECUTE format('CREATE TABLE t_%s (a int)', m); "
    "END $$"
)


@pytest.mark.parametrize("body", BODIES)
def test_a_text_that_is_put_together_is_judged_by_what_is_certain(body: str) -> None:
    text = f"{PARENT}DO $$ DECLARE f date; t text; n int; BEGIN {body}; END $$"

    analysis = analyse(text.encode(), as_runner=True)
    risk = risk_of(analysis.statements, None)

    assert BODIES[body] in {risk, *(each.rule for each in analysis.findings)}
    assert (risk == DESTRUCTIVE) == BODIES[body].startswith("M")


def test_a_name_that_means_two_variables_is_not_known() -> None:
    assert "MX-DYNAMIC" in {each.rule for each in analyse(TWICE.encode()).findings}
