"""When a provider no longer has a thing: it was asked for by its id and not found twice, apart in time; or, where
nothing but a list tells, two lists apart in time lack it.

In: the row, or the rows and which of them were listed just now. Out: what counts as gone. What was missed once stays,
with `missing_since`; one answer, whatever its shape, removes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from operations.periodic.clock import database_time

APART = timedelta(seconds=30)


def not_found(row: Any) -> bool:
    """Note one 404; whether it is the second, far enough from the first."""
    now, rows = database_time(), type(row)._default_manager.filter(pk=row.pk)
    first = rows.values_list("missing_since", flat=True).first()
    if first is None:
        rows.filter(missing_since=None).update(missing_since=now)
        return False
    return bool(now - first >= APART)


def found(row: Any) -> None:
    """It was answered: an earlier 404 was a passing one, also of another process since the row was read."""
    type(row)._default_manager.filter(pk=row.pk).exclude(missing_since=None).update(missing_since=None)
    row.missing_since = None


def unlisted(rows: QuerySet[Any], listed: Collection[object], *, may_be_empty: bool = False) -> list[Any]:
    """Those of the rows that this list lacks and another did, far enough before; `listed`: the keys of what it has.

    An empty list says nothing, unless it `may_be_empty`."""
    rows.filter(pk__in=listed).exclude(missing_since=None).update(missing_since=None)
    if not listed and not may_be_empty:
        return []
    now, missing = database_time(), rows.exclude(pk__in=listed)
    missing.filter(missing_since=None).update(missing_since=now)
    return list(missing.filter(missing_since__lte=now - APART))


@dataclass
class Listed:
    """A list or mapping, of lists too, look by look: `missing` says since when one lacks what another had (key → ISO
    time), `gone` what two lacked (key → entry). Entries that are mappings are known by their `id` or `ref`, those of an
    inner list by both keys. What was `taken` away here goes at once and is not told."""

    missing: Mapping[str, str]
    taken: Collection[str] = ()
    gone: dict[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=database_time)

    def look(self, before: Any, now: Any) -> Any:
        """What is there now, with what only this look lacks."""
        still: dict[str, str] = {}
        merged = self._merged("", before, now, still)
        self.missing = still
        return merged

    def _merged(self, place: str, before: Any, now: Any, still: dict[str, str]) -> Any:
        if type(before) is not type(now) or not isinstance(now, list | dict):
            return now
        old, new = _by_key(before), _by_key(now)
        for key, entry in old.items():
            name = f"{place}{key}"
            if key in new:
                new[key] = self._merged(f"{name} ", entry, new[key], still) if isinstance(entry, list) else new[key]
            elif name not in self.taken:
                since = self.missing.get(name, self.at.isoformat())
                if self.at - datetime.fromisoformat(since) < APART:
                    new[key], still[name] = entry, since
                else:
                    self.gone[name] = entry
        return new if isinstance(now, dict) else list(new.values())


def _by_key(seen: list[Any] | dict[str, Any]) -> dict[str, Any]:
    if isinstance(seen, dict):
        return dict(seen)
    return {_key(entry): entry for entry in seen}


def _key(entry: Any) -> str:
    return str((entry.get("id") or entry.get("ref")) if isinstance(entry, dict) else entry)
