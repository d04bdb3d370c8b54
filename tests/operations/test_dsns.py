"""The DSN of an environment: which variable is read, and what a missing one says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from operations import dsns
from operations.models import Environment
from providers.errors import Refused

pytestmark = pytest.mark.django_db
MISSING = [
    (dsns.export_dsn, "SAMPELIT_STAGING_EXPORT_DSN", "read", "staging's read-only role"),
    (dsns.migration_dsn, "SAMPELIT_STAGING_MIGRATION_DSN", "changed", "staging's migration role"),
    (dsns.restore_dsn, "OPS_RESTORE_HERE_DSN", "written", "staging's restore role"),
]


@pytest.fixture
def staging() -> Environment:
    return Environment.objects.create(
        slug="staging", name="Staging", kind="staging", restore_dsn_env="OPS_RESTORE_HERE_DSN"
    )


@pytest.mark.parametrize(("ask", "variable", "undone", "role"), MISSING)
def test_each_purpose_has_a_variable_and_a_refusal(
    ask: Callable[[Environment], str],
    variable: str,
    undone: str,
    role: str,
    staging: Environment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(Refused) as refusal:
        ask(staging)
    monkeypatch.setenv(variable, f"service={variable}")

    assert ask(staging) == f"service={variable}"
    assert refusal.value.reason == (
        f"{variable} is not set in this process. Nothing was {undone}. "
        f"Set it to the DSN of {role}, then ask for it again."
    )


def test_the_schema_is_read_with_the_migration_role_or_else_the_read_only_one(
    staging: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused, match=r"Neither SAMPELIT_STAGING_MIGRATION_DSN nor .* Nothing was read. Set one"):
        dsns.reading_dsn(staging)

    monkeypatch.setenv("SAMPELIT_STAGING_EXPORT_DSN", "service=export")
    with_one = dsns.reading_dsn(staging)
    monkeypatch.setenv("SAMPELIT_STAGING_MIGRATION_DSN", "service=migration")

    assert (with_one, dsns.reading_dsn(staging)) == ("service=export", "service=migration")


def test_a_variable_that_is_empty_counts_as_missing(staging: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_RESTORE_HERE_DSN", "")

    assert dsns.known_dsn(staging, "restore") == ""
    with pytest.raises(Refused, match="OPS_RESTORE_HERE_DSN is not set"):
        dsns.restore_dsn(staging)
