"""What a person says about an act (a reason, a comment, a resolution): limited, without NUL, secrets hidden.

In: text from a form or a command. Out: what is stored for ever. Ask for it only after the person's permission.
"""

from __future__ import annotations

from providers.errors import Refused
from providers.redact import redact

LONGEST = 2_000


def said(text: str) -> str:
    """The text as it is stored. Raises Refused where it is too long."""
    if len(text) > LONGEST:
        raise Refused(
            f"That text has {len(text):,} characters, {LONGEST:,} are allowed. Nothing was changed; shorten it."
        )
    return redact(text.replace("\0", ""))
