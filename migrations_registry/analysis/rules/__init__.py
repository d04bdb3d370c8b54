"""The catalogue, one file per noun. Importing this package enlists every rule."""

from __future__ import annotations

from migrations_registry.analysis.calls import run  # noqa: F401 - what a statement runs, after each
from migrations_registry.analysis.rules import (  # noqa: F401 - each enlists its rules
    brief_locks,
    columns,
    constraints,
    conventions,
    defaults,
    drops,
    duplicates,
    foreign_keys,
    functions,
    grants,
    indexes,
    keys,
    names,
    nested,
    overwrites,
    partitions,
    policies,
    rewrites,
    roles,
    rows,
    server,
    sessions,
    storage,
    tables,
    transactions,
    triggers,
    types,
    versions,
    views,
)
