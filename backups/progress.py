"""How a long piece of work reports and is stopped: values and callables, so steps and commands share one pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def nothing(*_: object, **__: object) -> None:
    """The report of a piece of work that nobody watches."""


@dataclass(frozen=True)
class Watch:
    """`progress(done, total, unit, note)` after each chunk; `check()` raises to stop; `log(line)` for people.

    `owner` is the operation whose lease `check` asks for: an older session of the same owner may be ended.
    """

    progress: Callable[..., None] = nothing
    check: Callable[[], None] = nothing
    log: Callable[[str], None] = nothing
    owner: str = ""


SILENT = Watch()
