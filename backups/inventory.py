"""What a store holds, by one listing. In: a store. Out: names of runs, of their newest proofs, of retention's notes."""

from __future__ import annotations

from dataclasses import dataclass, field

from providers.storage.base import Store


@dataclass
class Inventory:
    """Runs newest first (ids sort by time), the time of each one's newest proof, runs whose data was deleted."""

    runs: list[str] = field(default_factory=list)
    proofs: dict[str, str] = field(default_factory=dict)
    purged: set[str] = field(default_factory=set)


def inventory(store: Store) -> Inventory:
    found = Inventory()
    for item in store.list("runs/"):
        _, run, *rest = item.key.split("/")
        if rest == ["manifest.json"]:
            found.runs.append(run)
        elif rest == ["purged.json"]:
            found.purged.add(run)
        elif len(rest) == 1 and rest[0].startswith("proof-"):
            found.proofs[run] = max(found.proofs.get(run, ""), rest[0].removeprefix("proof-").removesuffix(".json"))
    found.runs.sort(reverse=True)
    return found
