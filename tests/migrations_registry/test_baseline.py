"""A baseline observes, writes history and runs nothing; without one nothing is applied."""

from __future__ import annotations

import pytest

from migrations_registry.drift import detect as drift_detect
from migrations_registry.models import StreamBaseline
from operations.models import Environment
from providers.errors import Refused
from tests.migrations_registry.applying import SCHEMA, Act, add, add_supabase, history, rows

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_baseline_writes_history_and_runs_nothing(act: Act, production: Environment, dsns: dict[str, str]) -> None:
    add(*SCHEMA, ("database/schema/schema_never.sql", "CREATE TABLE never (id integer)"))
    operation = act("migrations.baseline", stream="schema")
    assert operation.status == "succeeded", operation.error
    assert [line.split()[1] for line in history(dsns)] == ["schema_core"]
    assert rows(dsns["admin"], "SELECT to_regclass('never')") == [(None,)]
    assert StreamBaseline.objects.get().proposal[1]["state"] == "not applied"
    assert drift_detect.look(production) is None


def test_what_is_half_there_needs_a_persons_word(act: Act, production: Environment) -> None:
    add(("database/schema/schema_odd.sql", "CREATE TABLE users (id uuid); CREATE TABLE never (id integer)"))
    with pytest.raises(Refused, match=r"schema_odd.sql is partly \(missing: table public.never"):
        act("migrations.baseline", stream="schema")
    assert act("migrations.baseline", stream="schema", as_not_applied="schema_odd.sql").status == "succeeded"


def test_without_a_baseline_nothing_is_applied(act: Act, production: Environment, dsns: dict[str, str]) -> None:
    file = add_supabase(1, "CREATE TABLE fresh (id integer)")
    operation = act("migrations.apply", file=file.sha256)
    assert (operation.status, "not baselined" in operation.error) == ("failed", True)
    assert rows(dsns["admin"], "SELECT to_regclass('fresh')") == [(None,)]
