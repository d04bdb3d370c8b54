"""What seals the second factors that are stored: nothing, the key of now, one that is to go, or an unknown one.

In: the rows. Out: counts for the doctor; `reseal` seals anew what a fallback still opens. What lies in clear was
written by somebody else than the portal, and stays refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.db import transaction

from operations.models import Authenticator, Passkey, RecoveryCodes
from operations.models.factor_key import is_current, is_sealed, known, opened, sealed

Factor = Authenticator | RecoveryCodes | Passkey
COLUMNS: tuple[tuple[type[Factor], str], ...] = (
    (Authenticator, "key"),
    (RecoveryCodes, "hashes"),
    (Passkey, "public_key"),
)
CLEAR, CURRENT = "in clear", "sealed"
FALLBACK, UNKNOWN = "sealed under a key that is to go", "under a key not known here"


def counts() -> Counter[str]:
    """How many rows lie how. Raises Refused without FACTOR_KEY where a row is sealed."""
    return Counter(_state(text) for _, _, text, _ in _rows())


def in_clear() -> int:
    """The same of what needs no key to be seen."""
    return sum(not is_sealed(text) for _, _, text, _ in _rows())


@transaction.atomic
def reseal() -> int:
    """Seal anew under FACTOR_KEY what a fallback opens; how many rows. Raises Refused, and then changes none."""
    old = [row for row in _rows() if _state(row[2]) == FALLBACK]
    for model, column, text, device in old:
        anew = sealed(opened(text, device.seal_owner), device.seal_owner)
        model._default_manager.filter(**{column: text}).update(**{column: anew})  # no two rows hold one text
    return len(old)


def _rows() -> Iterator[tuple[type[Factor], str, str, Factor]]:
    for model, column in COLUMNS:
        for device in model._default_manager.order_by("pk"):
            yield model, column, getattr(device, column), device


def _state(text: str) -> str:
    if not is_sealed(text):
        return CLEAR
    if not known(text):
        return UNKNOWN
    return CURRENT if is_current(text) else FALLBACK
