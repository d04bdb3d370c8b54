"""What is not as it was once an undo has run, whatever its statements said. Pure.

In: looks at a schema: before the migration, after it, before the undo, after it. Out: objects; sentences.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from migrations_registry.fingerprint import Fingerprint, SchemaObject
from migrations_registry.undo.objects import Looks
from migrations_registry.undo.types import is_longer_enum


def not_back(looks: Looks, now: Fingerprint) -> list[SchemaObject]:
    """What the migration destroyed and the undo did not make as it was; `now`: after the undo."""
    lost = [item for item in looks.destroyed() if not (_is_same(item, now) or _has_more(item, now))]
    return [item for item in lost if not _comes_with_another(item, lost)]


def taken_along(before: Fingerprint, was: Fingerprint, now: Fingerprint) -> Fingerprint:
    """What was as it had been when the undo began (`was`) and is not any more: words and rights of what it replaced."""
    return Fingerprint(tuple(item for item in before.objects if _is_same(item, was) and not _is_same(item, now)))


def sentences(items: Collection[SchemaObject], told: Collection[str]) -> Iterator[str]:
    """For what no note tells of by its name."""
    said = "\n".join(told)
    yield from (f"The {item.kind} {item.name} is not as it was." for item in items if item.name not in said)


def _is_same(item: SchemaObject, there: Fingerprint) -> bool:
    here = there.by_key.get(item.key)
    return here is not None and here.sha256 == item.sha256


def _has_more(item: SchemaObject, there: Fingerprint) -> bool:
    here = there.by_key.get(item.key)
    return here is not None and is_longer_enum(item, here)


def _comes_with_another(item: SchemaObject, lost: Collection[SchemaObject]) -> bool:
    """Its table is not back either, which is told."""
    return any(each.kind in ("table", "materialized view", "view") and each.name == item.of for each in lost)
