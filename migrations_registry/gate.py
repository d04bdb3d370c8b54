"""The gate: which migrations of a commit a target does not have, by its own history. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence

from migrations_registry import history
from migrations_registry.discovery import Found, discover
from migrations_registry.models import MigrationFile
from migrations_registry.sources import read_source
from operations.models import Environment
from providers.errors import Refused


def environment_of(slug: str) -> Environment:
    """Raises Refused for an unknown one."""
    found = Environment.objects.filter(slug=slug).first()
    if found is None:
        raise Refused(f"There is no environment {slug}.")
    return found


def unapplied(environment: Environment, source: str) -> list[str]:
    """One line per file of SOURCE that the target does not have. Raises Refused and ProviderError."""
    found, rejected = discover(read_source(source))
    lines = [f"{each.path}:{each.line}: {each.reason}" for each in rejected]
    return lines + _missing(environment, found)


def _missing(environment: Environment, found: Sequence[Found]) -> list[str]:
    rows = {
        (row.path, row.sha256): row for row in MigrationFile.objects.filter(sha256__in=[one.sha256 for one in found])
    }
    known = [rows[one.path, one.sha256] for one in found if (one.path, one.sha256) in rows]
    states, _ = history.standings(known, history.rows_of(environment))
    lines = [f"{one.path} is not registered" for one in found if (one.path, one.sha256) not in rows]
    return lines + [f"{one.file.path} is {one.state}" for one in states if one.state != history.APPLIED]
