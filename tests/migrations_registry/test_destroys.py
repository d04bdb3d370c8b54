"""Which tables a file's text destroys, told before a catalogue says what that reaches."""

from __future__ import annotations

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.data_loss import Destroyed, destroyed
from migrations_registry.analysis.parsing.parser import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALTER TABLE t DROP COLUMN c", Destroyed(("public.t",))),
        ("DROP INDEX i; ALTER TABLE app.t DROP COLUMN z", Destroyed(("app.t",))),
        ("CREATE INDEX CONCURRENTLY i ON t (a); UPDATE t SET a = 1", Destroyed(("public.t",), rows=True)),
        ("TRUNCATE a CASCADE", Destroyed(("public.a",), rows=True, truncates=True)),
        ("TRUNCATE a", Destroyed(("public.a",), rows=True)),
        ("DROP TABLE a, s.b CASCADE", Destroyed(("public.a", "s.b"))),
        ("DELETE FROM a USING b WHERE a.x = b.x", Destroyed(("public.a",), rows=True)),
        ("DROP SCHEMA x CASCADE", Destroyed(schemas=("x",))),
        ("DROP DOMAIN app.d CASCADE", Destroyed(types=("app.d",))),
        ("DROP TYPE mood CASCADE", Destroyed(types=("public.mood",))),
        ("ALTER TYPE pair DROP ATTRIBUTE b", Destroyed(types=("public.pair",))),
        ("DO $$ BEGIN ALTER TYPE pair DROP ATTRIBUTE b; END $$", Destroyed(everything=True)),
        ("ALTER TYPE pair ADD ATTRIBUTE c int", Destroyed()),
        ("DO $$ BEGIN DELETE FROM t WHERE a = 1; END $$", Destroyed(("public.t",), rows=True)),
        ("DO $$ BEGIN EXECUTE 'drop table ' || x; END $$", Destroyed(everything=True)),
        ("DO $$ BEGIN DROP SCHEMA x CASCADE; END $$", Destroyed(everything=True)),
        ("DROP EXTENSION citext CASCADE", Destroyed(everything=True)),
        ("SELECT nobody_knows()", Destroyed(everything=True)),
        ("CREATE TABLE n (a int); DROP TABLE n", Destroyed()),
        ("CREATE TABLE n (a int); ALTER TABLE t ADD COLUMN a int", Destroyed()),
    ],
)
def test_what_is_destroyed(text: str, expected: Destroyed) -> None:
    analysis = analyse(text.encode(), as_runner=True)

    assert destroyed(analysis, parse(text.encode()), range(len(analysis.statements))) == expected
