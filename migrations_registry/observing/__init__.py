"""Baseline by observation: is a file applied, judged by what it would have left in the catalogue. Pure."""

from migrations_registry.observing import statement_readers  # enlists itself
from migrations_registry.observing.expected_objects import expected
from migrations_registry.observing.observed_state import APPLIED, NOT, PARTLY, UNSEEN, ObservedState, missing, observe
