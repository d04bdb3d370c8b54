"""Baseline by observation: is a file applied, judged by what it would have left in the catalogue. Pure."""

from migrations_registry.observing import statement_readers  # noqa: F401 - enlists itself
from migrations_registry.observing.expected_objects import Expectation, Expected, expected
from migrations_registry.observing.observed_state import APPLIED, NOT, PARTLY, UNSEEN, ObservedState, missing, observe

__all__ = [
    "APPLIED",
    "NOT",
    "PARTLY",
    "UNSEEN",
    "Expectation",
    "Expected",
    "ObservedState",
    "expected",
    "missing",
    "observe",
]
