"""Where a measured run's time goes. In: functions of the product by name. Out: seconds by part, while a block runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from typing import Any

# (module, class or "", function, part): each where its caller looks it up. Parts overlap where work is parallel.
TIMED = (
    ("bench.ours", "", "export", "export"),
    ("providers.embedded_postgres.cell", "Cell", "start", "drill's server"),
    ("backups.archive.drill_database", "", "open_for", "drill's database"),
    ("backups.archive.schema_proof", "", "archive_problems", "archive read"),
    ("backups.archive.loader", "Loader", "build", "definitions"),
    ("backups.archive.loader", "Loader", "load", "rows loaded"),
    ("backups.archive.loader", "Loader", "compare", "row digests"),
    ("backups.proof.beside", "", "hash_breaks", "chains: hashes"),
    ("backups.proof.beside", "", "order_breaks", "chains: order"),
    ("backups.archive.schema_proof", "", "compare", "schema compared"),
    ("backups.proof.prove", "", "examine", "product's check"),
    ("backups.proof.beside", "", "collect", "facts"),
    ("backups.proof.prove", "", "doubts_about", "chains waited for"),
    ("providers.embedded_postgres.cell", "Cell", "stop", "drill's end"),
)


@contextmanager
def timed() -> Iterator[dict[str, float]]:
    """Wall seconds of each part in the block."""
    parts: dict[str, float] = {}
    places: list[tuple[Any, str, Any]] = []
    for module, owner, name, part in TIMED:
        place = getattr(import_module(module), owner) if owner else import_module(module)
        before = getattr(place, name)
        places.append((place, name, before))
        setattr(place, name, _timed(before, part, parts))
    try:
        yield parts
    finally:
        for place, name, before in reversed(places):
            setattr(place, name, before)


def _timed(function: Callable[..., Any], part: str, parts: dict[str, float]) -> Callable[..., Any]:
    @wraps(function)
    def measured(*values: Any, **named: Any) -> Any:
        began = time.monotonic()
        try:
            return function(*values, **named)
        finally:
            parts[part] = round(parts.get(part, 0.0) + time.monotonic() - began, 2)

    return measured
