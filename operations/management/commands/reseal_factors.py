"""`sampelit-ops reseal_factors`: second factors that an earlier FACTOR_KEY sealed are sealed under the one of now."""

from __future__ import annotations

from typing import Any

from operations.factors import rotation
from providers.answers import Answer, AnsweringCommand


class Command(AnsweringCommand):
    help = "After a new FACTOR_KEY: seals every second factor under it. Then FACTOR_KEY_FALLBACKS can be emptied."

    def answer(self, options: dict[str, Any]) -> Answer:
        sealed, left = rotation.reseal(), rotation.counts()
        stay = {state: left[state] for state in (rotation.CLEAR, rotation.UNKNOWN) if left[state]}
        return Answer(
            {"sealed": sealed, "left": stay},
            [f"{sealed} sealed anew"],
            code=1 if stay else 0,
            notes=[f"{n} {state}: left as they are; those people start over." for state, n in stay.items()],
            follow="empty FACTOR_KEY_FALLBACKS.",
        )
