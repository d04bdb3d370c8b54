"""Does everything fit its plan: the memory in use beside what the platform allows, here and at each worker."""

from __future__ import annotations

from collections.abc import Iterator

from operations.doctor import Check, beats, register
from operations.models import Environment
from providers import memory

SPARE = 2 / 3  # of the plan may be in use: an export or a drill comes on top
WHY = "Above its plan's memory the platform kills a process in the middle of its work."
FIX = "Choose the next plan in render.yaml (docs/deploy.md has the figures), or give this service fewer OPS_WORKERS."


@register
def plan_memory(environment: Environment | None) -> Iterator[Check]:
    """This process's service, and each worker by its own word."""
    yield _check("memory here", memory.used_bytes(), memory.limit_bytes())
    for worker in beats.living_workers():
        yield _check(f"memory of {' and '.join(worker.get('queues', []))}", *worker.get("memory", (None, None)))


def _check(name: str, used: int | None, limit: int | None) -> Check:
    if used is None or limit is None:
        return Check(name, "idle", "nothing limits it", WHY)
    found = f"{used >> 20} of {limit >> 20} MB"
    tone = "bad" if used > 0.9 * limit else ("warn" if used > SPARE * limit else "ok")
    return Check(name, tone, found, WHY, "" if tone == "ok" else FIX)
