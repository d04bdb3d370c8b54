"""A table of the migration's own role whose rows say how often they were filled."""

from __future__ import annotations

import psycopg
import pytest

from migrations_registry.models import MigrationFile
from tests.migrations_registry.applying import add_supabase

FILL = "UPDATE orders SET cents = price * 100 WHERE cents IS NULL"
TABLE = """
    CREATE TABLE public.orders (
        id bigint PRIMARY KEY, price integer NOT NULL, cents integer, filled integer NOT NULL DEFAULT 0, note text
    );
    INSERT INTO public.orders (id, price) SELECT g, g FROM generate_series(1, {rows}) g;
    CREATE FUNCTION public.count_fill() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN NEW.filled = OLD.filled + 1; RETURN NEW; END';
    CREATE TRIGGER counted BEFORE UPDATE OF cents ON public.orders FOR EACH ROW EXECUTE FUNCTION public.count_fill();
    ALTER TABLE public.orders OWNER TO sampelit_migration;
    ANALYZE public.orders;
"""


@pytest.fixture
def orders(dsns: dict[str, str]) -> None:
    make_orders(dsns["admin"], 2000)


def make_orders(dsn: str, rows: int) -> None:
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(TABLE.format(rows=rows).encode())


@pytest.fixture
def fill(orders: None, baselined: object) -> MigrationFile:
    return add_supabase(2, FILL)
