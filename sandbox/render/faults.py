"""Injected faults: a matching request is answered 4xx or 5xx, hangs, is cut, or loses its answer after the effect."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass
class Fault:
    """`kind`: a status code, `hang`, `cut` (no effect), `lost` (effect, no answer), `empty` (effect, 202, no body)."""

    match: str
    kind: str
    times: int = 1
    seconds: float = 1.0


class Faults:
    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        re.compile(fault.match)
        self._waiting.append(fault)

    def clear(self) -> None:
        self._waiting.clear()

    def next_match(self, method: str, path: str) -> Fault | None:
        """The first fault that matches `METHOD /path`, used up once."""
        for fault in self._waiting:
            if re.search(fault.match, f"{method} {path}"):
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None
