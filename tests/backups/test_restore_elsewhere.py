"""A restore onto live tables whose load would reach another database than its comparison: refused before it writes."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from backups.models import Run
from operations.engine import kinds
from operations.engine.context import StepContext
from operations.engine.specs import StepSpec
from sandbox import database
from tests import portal_database
from tests.backups.restoring import rows, spoil

pytestmark = pytest.mark.django_db(transaction=True)
CONTENT = "SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {} t"
TABLES = ("algorithm_audit_trail", "users", "user_onboarding")


@pytest.fixture
def elsewhere(sampelit_template: str) -> Iterator[dict[str, str]]:
    """Another database with the same tables: nobody's."""
    name = f"elsewhere_{uuid4().hex[:12]}"
    database.copy_of(portal_database.server, sampelit_template, name)
    yield database.dsns(portal_database.server, name)
    portal_database.server.drop_database(name)


def content(dsn: str) -> list[object]:
    """What is there, and that no transaction ever wrote there since."""
    return [rows(dsn, CONTENT.format(table)) for table in TABLES] + rows(dsn, "SELECT count(*) FROM pg_class")


def test_the_load_reaches_what_was_compared_or_nothing(
    earlier_run: Run, restore_operation, spoilt, maintenance, elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(spoilt)
    assert restore_operation(earlier_run, "compare").status == "succeeded"
    before = [content(dsns["admin"]) for dsns in (spoilt, elsewhere)]
    monkeypatch.setenv("SAMPELIT_PRODUCTION_RESTORE_DSN", elsewhere["admin"])

    operation = restore_operation(earlier_run, "live")

    assert operation.status in ("expired", "failed")
    assert "Nothing was" in operation.error
    assert "production is database sampelit_" in operation.error
    assert maintenance == []
    assert [content(dsns["admin"]) for dsns in (spoilt, elsewhere)] == before


def test_a_variable_that_turns_in_the_middle_is_refused_too(
    earlier_run: Run, restore_operation, spoilt, maintenance, elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the claim and every comparison, in the moment the service is sent away."""
    spoil(spoilt)
    restore_operation(earlier_run, "compare")
    before = [content(dsns["admin"]) for dsns in (spoilt, elsewhere)]

    def turn(ctx: StepContext) -> None:
        monkeypatch.setenv("SAMPELIT_PRODUCTION_RESTORE_DSN", elsewhere["admin"])

    monkeypatch.setitem(kinds.registry.factories, "maintenance_on", StepSpec("maintenance_on", turn))

    operation = restore_operation(earlier_run, "live")

    assert operation.status == "failed"
    assert "production is database sampelit_" in operation.error
    assert [content(dsns["admin"]) for dsns in (spoilt, elsewhere)] == before
